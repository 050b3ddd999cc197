//! What media acknowledged is there, and nothing else, however often it is killed.

mod contents;
mod sending;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, RwLock};
use std::time::{Duration, Instant, SystemTime};

use parlour_chassis::Context;
use parlour_media::jobs;
use parlour_media::state::Media;
use parlour_testkit::{Client, eventually, free_address};
use serde_json::{Value, json};
use tokio::task::JoinSet;
use uuid::Uuid;

pub(crate) use contents::dot;

use crate::people::{sign_in, sign_up};
use crate::platform::Platform;

/// As many uploads, unless `PARLOUR_JOURNEY_UPLOADS` says otherwise.
const UPLOADS: usize = 240;
const PEOPLE: usize = 4;
const SENDERS: usize = 8;
/// A process lives for fewer acknowledged uploads than these, and for some milliseconds into the next.
const LIFE: usize = 40;
const MOMENT: u64 = 60;
/// What a dead process had is free: its leases run out anyway, only later.
const LEASES: &str = "UPDATE media.uploads SET locked_until = now() WHERE locked_until > now();
    UPDATE media.files SET due_at = now() WHERE due_at > now()";

/// What became of all uploads: by number, the file.
type Acknowledged = BTreeMap<usize, Uuid>;

#[tokio::test(flavor = "multi_thread")]
async fn every_acknowledged_upload_is_there_though_media_is_killed_again_and_again() {
    let uploads = std::env::var("PARLOUR_JOURNEY_UPLOADS").map_or(UPLOADS, |text| text.parse().unwrap());
    let platform = Platform::new().await;
    let (address, beside) = (free_address(), free_address());
    let identity = platform.identity(beside).await;
    let people = People::new(identity.client(), Client::new(address)).await;
    let mut signed_in = Instant::now();

    let mut media = platform.media(address, beside).await;
    let done = Arc::new(AtomicUsize::new(0));
    let sending = tokio::spawn(send_all(people.clone(), uploads, done.clone()));
    let mut kills = 0;
    while !sending.is_finished() {
        let next = done.load(Ordering::Relaxed) + rand::random::<u32>() as usize % LIFE;
        while done.load(Ordering::Relaxed) < next.min(uploads) && !sending.is_finished() {
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        tokio::time::sleep(Duration::from_millis(rand::random::<u64>() % MOMENT)).await;
        media.kill();
        kills += 1;
        if signed_in.elapsed() > Duration::from_mins(5) {
            people.sign_in().await;
            signed_in = Instant::now();
        }
        platform.execute(LEASES).await;
        media = platform.media(address, beside).await;
    }
    let (files, cut) = sending.await.unwrap();
    assert_eq!(files.len(), uploads);
    println!("{uploads} uploads, {kills} kills, {cut} requests cut");

    let jobs = jobs::all(&replica(&platform));
    run(&jobs, "finish_uploads").await;
    settle(&platform).await;
    people.sign_in().await;
    compare(&platform, &people, &files).await;
    media.kill();
    sweep(&platform, &jobs).await;
    identity.terminate().await;
}

/// People who are signed in, at media.
struct People {
    identity: Client,
    media: Client,
    clients: RwLock<Vec<Client>>,
}

impl People {
    async fn new(identity: Client, media: Client) -> Arc<Self> {
        for n in 0..PEOPLE {
            sign_up(&identity, &name(n)).await;
        }
        let clients = RwLock::default();
        let people = Self {
            identity,
            media,
            clients,
        };
        people.sign_in().await;
        Arc::new(people)
    }

    /// Signs all of them in: a token lives for a quarter of an hour.
    async fn sign_in(&self) {
        let mut clients = Vec::new();
        for n in 0..PEOPLE {
            let token = sign_in(&self.identity, &name(n)).await;
            clients.push(self.media.signed_in(&token));
        }
        *self.clients.write().unwrap() = clients;
    }

    /// Who sends upload `n`.
    fn of(&self, n: usize) -> Client {
        self.clients.read().unwrap()[n % PEOPLE].clone()
    }
}

fn name(n: usize) -> String {
    format!("p{n}")
}

/// Sends all uploads, several at a time. Upload `n` is of person `n`, counted around.
/// `done` counts those that were acknowledged.
async fn send_all(people: Arc<People>, uploads: usize, done: Arc<AtomicUsize>) -> (Acknowledged, usize) {
    let next = Arc::new(AtomicUsize::new(0));
    let mut senders = JoinSet::new();
    for _ in 0..SENDERS {
        let (people, next, done) = (people.clone(), next.clone(), done.clone());
        senders.spawn(async move {
            let (mut files, mut cut) = (Vec::new(), 0);
            loop {
                let n = next.fetch_add(1, Ordering::Relaxed);
                if n >= uploads {
                    return (files, cut);
                }
                let (file, broken) = sending::send(&people.of(n), n, uploads).await;
                files.push((n, file));
                done.fetch_add(1, Ordering::Relaxed);
                cut += broken;
            }
        });
    }
    let all = senders.join_all().await;
    let cut = all.iter().map(|(_, cut)| cut).sum();
    (all.into_iter().flat_map(|(files, _)| files).collect(), cut)
}

/// Media's parts, as another process would have them.
fn replica(platform: &Platform) -> Arc<Media> {
    let context = Context::offline(parlour_media::NAME, platform.layers()).unwrap();
    Arc::new(Media::open(&context).unwrap())
}

async fn run(jobs: &[parlour_chassis::Job], name: &str) {
    let job = jobs.iter().find(|job| job.name == name).unwrap();
    (job.run)().await.unwrap();
}

/// Waits until every file was scanned: as long as fewer and fewer wait.
async fn settle(platform: &Platform) {
    let waiting = async || -> usize {
        let rows = platform.rows("SELECT count(*)::text FROM media.files WHERE status = 'pending'");
        rows.await[0].parse().unwrap()
    };
    let mut left = waiting().await;
    while left > 0 {
        left = eventually(async || Some(waiting().await).filter(|now| *now < left)).await;
    }
    let others = platform
        .rows("SELECT id || ' is ' || status FROM media.files WHERE status <> 'ready'")
        .await;
    assert_eq!(others, Vec::<String>::new());
}

/// Every file has its bytes, there are no others, and people use what they sent.
async fn compare(platform: &Platform, people: &People, files: &Acknowledged) {
    let mut used = vec![BTreeMap::new(); PEOPLE];
    for (n, file) in files {
        let (_, bytes) = contents::content(*n, files.len());
        let path = format!("/api/media/files/{file}/download");
        let answer = people.of(*n).get(&path).await;
        assert!(answer.expect(200).bytes() == &bytes, "upload {n}, file {file}");
        used[n % PEOPLE].insert(bytes.clone(), bytes.len());
    }
    let rows = platform.rows("SELECT id::text FROM media.files").await;
    let known: BTreeSet<String> = files.values().map(Uuid::to_string).collect();
    assert_eq!(rows.into_iter().collect::<BTreeSet<_>>(), known);
    assert_eq!(
        platform.rows("SELECT id::text FROM media.uploads").await,
        Vec::<String>::new()
    );
    for (person, used) in used.into_iter().enumerate() {
        let quota = people.of(person).get("/api/media/quota").await.expect(200).data();
        assert_eq!(quota["used"], json!(used.values().sum::<usize>()), "{quota}");
    }
}

/// Before the sweep there may be objects without a row, and nothing else that does not agree;
/// afterwards there is nothing.
async fn sweep(platform: &Platform, jobs: &[parlour_chassis::Job]) {
    let check = ["media", "check", "--age", "0"];
    let before = platform.printed(&check);
    let problems: Vec<Value> = before
        .lines()
        .filter_map(|line| serde_json::from_str(line).ok())
        .collect();
    let only = |problem: &Value| problem["problem"] == "orphan" || problem["problem"] == "unfinished";
    assert!(problems.iter().all(only), "{before}");
    println!("left behind before the sweep: {}", problems.len());
    // It leaves alone what is so young that it may belong to an upload that is going on.
    let then = SystemTime::now() - Duration::from_hours(2);
    age(&platform.objects(), then);
    run(jobs, "sweep_objects").await;
    run(jobs, "remove_unused_blobs").await;
    assert_eq!(platform.operator(&check).trim(), "everything agrees");
}

fn age(folder: &std::path::Path, then: SystemTime) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            age(&path, then);
        } else {
            let file = std::fs::File::options().write(true).open(&path).unwrap();
            file.set_modified(then).unwrap();
        }
    }
}
