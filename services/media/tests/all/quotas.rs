//! Quotas, which are exact.

use futures_util::future::join_all;

use crate::support::{Form, Stage, waiting};

#[tokio::test(flavor = "multi_thread")]
async fn uploads_at_the_same_time_never_pass_the_quota() {
    let stage = Stage::of(waiting().set("media.quota_bytes", 100).replicas(2)).await;
    let send = async |n: u32| {
        let form = Form::new().file("file", "a.txt", format!("Sixteen bytes {n:02}").as_bytes());
        let client = stage
            .app
            .replica(n as usize % 2)
            .signed_in(&stage.ana.token)
            .from(stage.ana.address);
        let request = client
            .post("/api/media/upload")
            .body("multipart/form-data; boundary=XyZ", form.body());
        let answer = request.await;
        (answer.status(), answer.code())
    };
    let answers = join_all((0..20).map(send)).await;
    let stored = answers.iter().filter(|(status, _)| *status == 201).count();
    let refused = answers
        .iter()
        .filter(|(status, code)| *status == 413 && code.as_deref() == Some("QUOTA_EXCEEDED"))
        .count();
    assert_eq!((stored, refused), (6, 14), "{answers:?}");
    let quota = stage
        .app
        .by(&stage.ana)
        .get("/api/media/quota")
        .await
        .expect(200)
        .data();
    assert_eq!(
        (
            quota["used"].as_i64(),
            quota["allowed"].as_i64(),
            quota["remaining"].as_i64()
        ),
        (Some(96), Some(100), Some(4))
    );
    parlour_testkit::eventually_eq(6, async || stage.objects()).await;
    stage.agrees().await;
}
