//! nginx, to compare with.

use std::process::{Child, Command, Stdio};

use parlour_testkit::{Client, eventually, free_address};

/// nginx with one file. Where it is not installed these tests fail and say so:
/// `deploy/local/install --with-nginx`.
pub(crate) struct Nginx {
    process: Child,
    home: tempfile::TempDir,
    pub(crate) client: Client,
}

impl Drop for Nginx {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = self.home;
    }
}

impl Nginx {
    pub(crate) async fn start(content: &[u8]) -> Self {
        let home = tempfile::tempdir().unwrap();
        let port = free_address().port();
        std::fs::create_dir(home.path().join("files")).unwrap();
        std::fs::write(home.path().join("files/a.txt"), content).unwrap();
        let dir = home.path().display();
        let config = format!(
            "daemon off; master_process off; pid {dir}/pid; error_log {dir}/error.log;\n\
             events {{ worker_connections 64; }}\n\
             http {{ access_log off; max_ranges 32; large_client_header_buffers 4 64k; if_modified_since before; default_type text/plain;\n\
             client_body_temp_path {dir}/b; proxy_temp_path {dir}/p; fastcgi_temp_path {dir}/f;\n\
             uwsgi_temp_path {dir}/u; scgi_temp_path {dir}/s;\n\
             server {{ listen 127.0.0.1:{port}; root {dir}/files; }} }}\n"
        );
        std::fs::write(home.path().join("nginx.conf"), config).unwrap();
        let known = ["/usr/sbin/nginx", "/usr/local/sbin/nginx"]
            .into_iter()
            .find(|path| std::path::Path::new(path).exists());
        let process = Command::new(known.unwrap_or("nginx"))
            .arg("-c")
            .arg(home.path().join("nginx.conf"))
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .spawn()
            .unwrap_or_else(|error| panic!("nginx is missing ({error}): deploy/local/install --with-nginx"));
        let client = Client::new(([127, 0, 0, 1], port).into());
        eventually(async || client.get("/a.txt").send().await.is_ok()).await;
        Self {
            process,
            home,
            client,
        }
    }
}
