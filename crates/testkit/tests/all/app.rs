use parlour_testkit::App;

use crate::demo::{counter, goals};

#[tokio::test]
async fn services_answer_without_a_broker() {
    let app = App::start(&[goals::service(), counter::service()]).await;
    let about = app.get("/api/goals/about").await;
    assert_eq!(about.expect(200).data()["longest_title"], 100);
    assert!(about.header("x-request-id").is_some());
    app.get("/api/goals")
        .await
        .expect_error(405, "METHOD_NOT_ALLOWED");
    app.post("/api/goals")
        .json("x")
        .await
        .expect_error(401, "AUTHENTICATION_REQUIRED");
    app.get("/nowhere").await.expect_error(404, "RESOURCE_NOT_FOUND");
    app.internal().get("/live").await.expect(200);
}

#[tokio::test]
async fn configuration_is_set_by_key() {
    let app = App::of(&[goals::service()])
        .set("goals.longest_title", 7)
        .start()
        .await;
    assert_eq!(app.get("/api/goals/about").await.data()["longest_title"], 7);
}

#[tokio::test]
async fn limits_are_out_of_the_way_until_a_test_sets_them() {
    let limited = serde_json::json!({ "requests": 1, "seconds": 60, "burst": 2 });
    let app = App::of(&[goals::service()])
        .replicas(2)
        .set("limits.auth", limited)
        .start()
        .await;
    let someone = |replica| app.replica(replica).from([198, 51, 100, 7]);
    someone(0).post("/api/goals").await.expect(401);
    someone(1).post("/api/goals").await.expect(401);
    someone(0)
        .post("/api/goals")
        .await
        .expect_error(429, "RATE_LIMIT_EXCEEDED");
    app.client()
        .from([198, 51, 100, 8])
        .post("/api/goals")
        .await
        .expect(401);

    let app = App::start(&[goals::service()]).await;
    for _ in 0..20 {
        app.post("/api/goals").await.expect(401);
    }
}

#[tokio::test]
async fn processes_stop_and_come_back() {
    let mut app = App::of(&[goals::service()]).replicas(2).start().await;
    let (first, second) = (app.replica(0), app.replica(1));
    app.stop(0);
    assert!(first.get("/api/goals/about").send().await.is_err());
    second.get("/api/goals/about").await.expect(200);
    app.restart().await;
    app.get("/api/goals/about").await.expect(200);
    second.get("/api/goals/about").await.expect(200);
}

#[tokio::test]
async fn a_wrong_answer_is_shown_whole() {
    let app = App::start(&[goals::service()]).await;
    let answer = app.get("/api/goals/about").await;
    let shown = std::panic::catch_unwind(|| answer.expect(418).status()).unwrap_err();
    let shown = shown.downcast_ref::<String>().unwrap();
    assert!(
        shown.starts_with("expected 418\nGET /api/goals/about was answered 200 ("),
        "{shown}"
    );
    assert!(
        shown.ends_with("{\"success\":true,\"data\":{\"longest_title\":100}}"),
        "{shown}"
    );
}
