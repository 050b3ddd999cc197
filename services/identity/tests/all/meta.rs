//! `/api/meta/…`

use parlour_testkit::App;

use crate::identity;

#[tokio::test(flavor = "multi_thread")]
async fn reference_data_is_complete_and_cacheable() {
    let app = App::start(&identity()).await;
    let countries = app.get("/api/meta/countries").await;
    let list = countries.expect(200).data()["countries"].clone();
    assert_eq!(list.as_array().unwrap().len(), 249);
    let saudi = list
        .as_array()
        .unwrap()
        .iter()
        .find(|c| c["code"] == "SA")
        .unwrap();
    assert_eq!(
        (saudi["dial_code"].as_str(), saudi["name_ar"].as_str()),
        (Some("+966"), Some("السعودية"))
    );
    let zodiacs = app.get("/api/meta/zodiacs/").await;
    assert_eq!(
        zodiacs.expect(200).data()["zodiacs"].as_array().unwrap().len(),
        12
    );
    for (path, answer) in [("/api/meta/countries", countries), ("/api/meta/zodiacs", zodiacs)] {
        let etag = answer.header("etag").unwrap().to_owned();
        assert!(answer.header("cache-control").unwrap().contains("max-age"));
        let again = app.get(path).header("if-none-match", &etag).await;
        assert_eq!((again.status(), again.bytes().len()), (304, 0));
        app.get(path)
            .header("if-none-match", "\"other\"")
            .await
            .expect(200);
    }
}
