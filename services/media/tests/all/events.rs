//! What other services tell, through the real broker.

use parlour_contracts::billing::v1::QuotaChanged;
use parlour_contracts::chat::v1::{
    MemberJoined, MemberLeft, MessageSent, SessionCreated, SessionEnded, SessionUpdated,
};
use parlour_contracts::identity::v1::AccountDeleted;
use parlour_contracts::media::v1::FileDeleted;
use parlour_contracts::orders::v1::{OrderDelivered, OrderSubmitted};
use parlour_testkit::eventually_eq;
use serde_json::json;
use uuid::Uuid;

use crate::support::{Form, Stage, TEXT, waiting};

async fn stage() -> Stage {
    Stage::of(waiting().with_vhost()).await
}

#[tokio::test(flavor = "multi_thread")]
async fn conversations_say_who_reads_what_was_sent_in_them() {
    let stage = stage().await;
    let (session, file) = (Uuid::now_v7(), stage.ready(&stage.ana, "a.txt", TEXT).await);
    let aggregate = || format!("session:{session}");
    let (ana, ben) = (stage.ana.id.to_string(), stage.ben.id.to_string());
    let session_id = session.to_string();
    let created = SessionCreated {
        session_id: session_id.clone(),
        participant_ids: vec![ana.clone(), ben.clone()],
        ..Default::default()
    };
    stage.tell(aggregate(), created).await;
    let message = |sender: &str, held: bool| MessageSent {
        message_id: Uuid::now_v7().to_string(),
        session_id: session_id.clone(),
        sender_id: sender.to_owned(),
        file_id: file.to_string(),
        held,
        ..Default::default()
    };
    stage.tell(aggregate(), message(&ben, false)).await;
    stage.tell(aggregate(), message(&ana, true)).await;
    let left = MemberLeft {
        session_id: session_id.clone(),
        user_id: ben.clone(),
    };
    stage.tell(aggregate(), left).await;
    let members = "SELECT count(*) FROM media.session_members";
    let stranger = stage.app.person("client").await;
    let joined = MemberJoined {
        session_id: session_id.clone(),
        user_id: stranger.id.to_string(),
    };
    stage.tell(aggregate(), joined).await;
    let is_member = format!("{members} WHERE account_id = '{}'", stranger.id);
    eventually_eq(1, async || stage.count(&is_member).await).await;
    assert_eq!(
        stage.count("SELECT count(*) FROM media.session_files").await,
        0,
        "not theirs, or held back"
    );
    stage.tell(aggregate(), message(&ana, false)).await;
    eventually_eq(200, async || stage.look(&stranger, file).await.status()).await;
    stage.look(&stage.ben, file).await.expect(404);
    let seen = stage.look(&stranger, file).await.data()["file"].clone();
    assert_eq!(seen["session_id"], json!(session));
    let update = |status: &str, participant_ids: Vec<String>| SessionUpdated {
        session_id: session_id.clone(),
        status: status.to_owned(),
        participant_ids,
        ..Default::default()
    };
    stage
        .tell(aggregate(), update("locked", vec![ana.clone(), ben.clone()]))
        .await;
    eventually_eq(200, async || stage.look(&stage.ben, file).await.status()).await;
    stage.look(&stranger, file).await.expect(404);
    let form = Form::new()
        .field("session_id", &session_id)
        .field("kind", "dream_journal")
        .file("file", "d.txt", TEXT);
    let locked = stage
        .post(&stage.ana, "/api/media/upload-session-media", &form)
        .await;
    locked.expect_error(409, "SESSION_INACTIVE");
    stage
        .tell(aggregate(), update("active", vec![ana.clone(), ben.clone()]))
        .await;
    eventually_eq(201, async || {
        stage
            .post(&stage.ana, "/api/media/upload-session-media", &form)
            .await
            .status()
    })
    .await;
    let ended = SessionEnded {
        session_id: session_id.clone(),
        participant_ids: vec![ana, ben],
        ..Default::default()
    };
    stage.tell(aggregate(), ended).await;
    eventually_eq(409, async || {
        stage
            .post(&stage.ana, "/api/media/upload-session-media", &form)
            .await
            .status()
    })
    .await;
    stage.look(&stage.ben, file).await.expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn files_of_a_result_are_for_its_reviewers_and_then_for_the_client() {
    let stage = stage().await;
    let reader = stage.app.person("reader").await;
    let (order, file) = (Uuid::now_v7(), stage.ready(&reader, "result.txt", TEXT).await);
    let others = stage.ready(&stage.ben, "other.txt", b"Not the reader's.").await;
    let media_ids = vec![file.to_string(), others.to_string()];
    let submitted = OrderSubmitted {
        order_id: order.to_string(),
        client_id: stage.ana.id.to_string(),
        reader_id: reader.id.to_string(),
        media_ids: media_ids.clone(),
        ..Default::default()
    };
    stage.look(&stage.monitor, file).await.expect(404);
    stage.tell(format!("order:{order}"), submitted).await;
    eventually_eq(200, async || stage.look(&stage.monitor, file).await.status()).await;
    stage.look(&stage.ana, file).await.expect(404);
    stage.look(&stage.monitor, others).await.expect(404);
    let delivered = OrderDelivered {
        order_id: order.to_string(),
        client_id: stage.ana.id.to_string(),
        reader_id: reader.id.to_string(),
        media_ids,
        ..Default::default()
    };
    stage.tell(format!("order:{order}"), delivered).await;
    eventually_eq(200, async || stage.look(&stage.ana, file).await.status()).await;
    stage.look(&stage.ana, others).await.expect(404);
    stage
        .app
        .by(&stage.ana)
        .get(&format!("/api/media/files/{file}/download"))
        .await
        .expect(200);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_plan_says_how_much_may_be_stored() {
    let stage = stage().await;
    let changed = QuotaChanged {
        account_id: stage.ana.id.to_string(),
        plan: "tiny".to_owned(),
        media_bytes: 30,
    };
    stage.tell(format!("account:{}", stage.ana.id), changed).await;
    let allowed = async || stage.app.by(&stage.ana).get("/api/media/quota").await.data()["allowed"].as_i64();
    eventually_eq(Some(30), allowed).await;
    stage.upload(&stage.ana, "a.txt", TEXT).await;
    let form = Form::new().file("file", "b.txt", b"Too much.");
    let answer = stage.post(&stage.ana, "/api/media/upload", &form).await;
    answer.expect_error(413, "QUOTA_EXCEEDED");
    stage.agrees().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_forgotten_leaves_nothing() {
    let stage = stage().await;
    stage.known(&stage.ana).await;
    stage.known(&stage.ben).await;
    let hers = stage.ready(&stage.ana, "a.txt", TEXT).await;
    stage.ready(&stage.ana, "b.txt", b"Only hers.").await;
    let his = stage.ready(&stage.ben, "c.txt", TEXT).await;
    for (owner, file, other) in [(&stage.ana, hers, &stage.ben), (&stage.ben, his, &stage.ana)] {
        let body = json!({ "user_ids": [other.id] });
        let share = format!("/api/media/files/{file}/share");
        stage.app.by(owner).post(&share).json(body).await.expect(201);
    }
    stage
        .tell(
            format!("account:{}", stage.ana.id),
            AccountDeleted {
                account_id: stage.ana.id.to_string(),
            },
        )
        .await;
    eventually_eq(1, async || stage.count("SELECT count(*) FROM media.files").await).await;
    stage.app.run_job("media", "remove_unused_blobs").await;
    eventually_eq(1, async || stage.objects()).await;
    let left = format!(
        "SELECT (SELECT count(*) FROM media.quotas WHERE owner_id = '{0}') + (SELECT count(*) FROM media.shares)
           + (SELECT count(*) FROM media.holdings WHERE owner_id = '{0}')",
        stage.ana.id
    );
    assert_eq!(stage.count(&left).await, 0);
    let told: Vec<FileDeleted> = stage.app.published("media").await;
    assert_eq!(told.len(), 2);
    let got = stage
        .app
        .by(&stage.ben)
        .get(&format!("/api/media/files/{his}/download"))
        .await;
    assert_eq!(
        got.expect(200).bytes().as_ref(),
        TEXT,
        "his copy of the same bytes stays"
    );
    stage.agrees().await;
}
