//! Shares and links.

use chrono::Duration;
use parlour_chassis::Clock;
use serde_json::{Value, json};

use crate::support::{Stage, TEXT, id, waiting};

fn path_of(url: &Value) -> String {
    let url = url.as_str().unwrap();
    url.strip_prefix("http://127.0.0.1:5000").unwrap().to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn people_read_what_is_shared_with_them_until_it_ends() {
    let (clock, hands) = Clock::manual(chrono::Utc::now());
    let stage = Stage::of(waiting().clock(clock)).await;
    let file = stage.ready(&stage.ana, "a.txt", TEXT).await;
    let share = format!("/api/media/files/{file}/share");
    let body = json!({ "user_ids": [stage.ben.id], "expires_in_seconds": 3600 });
    let unknown = stage.app.by(&stage.ana).post(&share).json(&body).await;
    unknown.expect_error(400, "VALIDATION_ERROR");
    stage.known(&stage.ben).await;
    let shared = stage.app.by(&stage.ana).post(&share).json(&body).await;
    let shared = shared.expect(201).data();
    assert!(shared["url"].is_null() && shared["expires_at"].is_string());
    let seen = stage.look(&stage.ben, file).await.expect(200).data()["file"].clone();
    assert_eq!(
        (seen["folder"].as_str(), seen["owner_id"].as_str()),
        (None, Some(stage.ana.id.to_string().as_str()))
    );
    let download = format!("/api/media/files/{file}/download");
    stage.app.by(&stage.ben).get(&download).await.expect(200);
    stage
        .app
        .by(&stage.ben)
        .delete(&format!("/api/media/files/{file}"))
        .await
        .expect(404);
    stage
        .app
        .by(&stage.ben)
        .post(&share)
        .json(json!({ "link": true }))
        .await
        .expect(404);
    hands.advance(Duration::hours(1));
    let again = stage
        .app
        .sign_in(&stage.ben.email, &stage.ben.password, stage.ben.address)
        .await;
    let token = again.expect(200).data()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    stage.app.get(&download).bearer(&token).await.expect(404);
    let lasting = json!({ "user_ids": [stage.ben.id] });
    let again = stage
        .app
        .sign_in(&stage.ana.email, &stage.ana.password, stage.ana.address)
        .await;
    let owner = again.expect(200).data()["access_token"]
        .as_str()
        .unwrap()
        .to_owned();
    let shared = stage.app.post(&share).bearer(&owner).json(&lasting).await;
    let shared = id(&shared.expect(201).data());
    stage.app.get(&download).bearer(&token).await.expect(200);
    stage
        .app
        .delete(&format!("{share}/{shared}"))
        .bearer(&token)
        .await
        .expect(404);
    stage
        .app
        .delete(&format!("{share}/{shared}"))
        .bearer(&owner)
        .await
        .expect(200);
    stage
        .app
        .delete(&format!("{share}/{shared}"))
        .bearer(&owner)
        .await
        .expect(404);
    stage.app.get(&download).bearer(&token).await.expect(404);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_link_opens_so_many_times_and_no_more() {
    let stage = Stage::waiting().await;
    let file = stage.ready(&stage.ana, "a.txt", TEXT).await;
    let share = format!("/api/media/files/{file}/share");
    let body = json!({ "link": true, "expires_in_seconds": 600, "max_uses": 5 });
    let shared = stage.app.by(&stage.ana).post(&share).json(body).await;
    let link = path_of(&shared.expect(201).data()["url"]);
    stage
        .app
        .client()
        .request(&reqwest::Method::HEAD, &link)
        .await
        .expect(200);
    let opened =
        futures_util::future::join_all((0..20).map(|_| async { stage.app.get(&link).await.status() })).await;
    let count = |status| opened.iter().filter(|one| **one == status).count();
    assert_eq!((count(200), count(404)), (5, 15));
    for wrong in [
        json!({}),
        json!({ "link": true, "user_ids": [stage.ben.id] }),
        json!({ "user_ids": [stage.ben.id], "max_uses": 1 }),
    ] {
        let answer = stage.app.by(&stage.ana).post(&share).json(wrong).await;
        answer.expect_error(400, "VALIDATION_ERROR");
    }
    stage
        .app
        .get("/api/media/shared/nothing")
        .await
        .expect_error(404, "RESOURCE_NOT_FOUND");
}

#[tokio::test(flavor = "multi_thread")]
async fn links_in_answers_end_and_are_worth_nothing_when_changed() {
    let (clock, hands) = Clock::manual(chrono::Utc::now());
    let stage = Stage::of(waiting().clock(clock)).await;
    let file = stage.ready(&stage.ana, "a.txt", TEXT).await;
    let link = path_of(&stage.look(&stage.ana, file).await.expect(200).data()["file"]["url"]);
    stage
        .app
        .get(&link)
        .header("authorization", "Bearer rubbish")
        .await
        .expect(200);
    let mut earlier = link.clone().into_bytes();
    let place = "/api/media/shared/".len() + 12;
    earlier[place] = if earlier[place] == b'A' { b'B' } else { b'A' };
    stage
        .app
        .get(&String::from_utf8(earlier).unwrap())
        .await
        .expect(404);
    hands.advance(Duration::hours(24));
    stage.app.get(&link).await.expect(404);
}
