//! From an upload to the picture that everybody sees.

use parlour_testkit::eventually;

use crate::people::sign_up;
use crate::platform::Platform;
use crate::uploads::dot;

#[tokio::test(flavor = "multi_thread")]
async fn an_uploaded_picture_is_in_the_profile_once_it_was_scanned() {
    let platform = Platform::new().await;
    let process = platform.everything().await;
    let gateway = process.client();
    let me = gateway.signed_in(&sign_up(&gateway, "ana").await);
    let head = "--XyZ\r\nContent-Disposition: form-data; name=\"avatar\"; filename=\"me.png\"\r\n\r\n";
    let form = [head.as_bytes(), &dot(), b"\r\n--XyZ--\r\n"].concat();
    let request = me.post("/api/media/upload-avatar");
    let uploaded = request.body("multipart/form-data; boundary=XyZ", form).await;
    assert_eq!(uploaded.expect(201).data()["file"]["status"], "pending");
    let url = eventually(async || {
        let profile = me.get("/api/profile").await.expect(200).data();
        profile["avatar_url"].as_str().map(str::to_owned).ok_or(profile)
    })
    .await;
    let path = &url[url.find("/api/media/shared/").unwrap()..];
    let seen = gateway.get(path).await;
    assert_eq!(seen.expect(200).header("content-type"), Some("image/png"));
    process.terminate().await;
}
