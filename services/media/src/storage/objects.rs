//! The store of objects: a folder, or a bucket of S3 and what speaks like it.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use chrono::{DateTime, Utc};
use futures_util::stream::BoxStream;
use futures_util::{StreamExt as _, TryStreamExt as _};
use object_store::aws::AmazonS3Builder;
use object_store::local::LocalFileSystem;
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use secrecy::ExposeSecret as _;
use uuid::Uuid;

use super::local;
use super::seal::Damaged;
use crate::settings::Storage;

/// The folder of all objects.
const FOLDER: &str = "objects";
/// What is sent to a folder at once. A bucket takes no parts below 5 MiB.
const LOCAL_PART: usize = 1024 * 1024;
const BUCKET_PART: usize = 5 * 1024 * 1024;

/// Why bytes could not be written or read.
#[derive(Debug, thiserror::Error)]
pub enum StorageError {
    /// The store.
    #[error(transparent)]
    Store(#[from] object_store::Error),
    /// The object is not what was written.
    #[error(transparent)]
    Damaged(#[from] Damaged),
    /// A read of a file failed.
    #[error(transparent)]
    Io(#[from] std::io::Error),
    /// The settings cannot be used.
    #[error("{0}")]
    Settings(String),
}

/// The store. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Objects {
    pub(super) store: Arc<dyn ObjectStore>,
    /// The folder, when it is one.
    pub(super) folder: Option<PathBuf>,
    pub(super) part: usize,
}

/// An object as the store lists it.
#[derive(Clone, Copy, Debug)]
pub struct Listed {
    /// Its id.
    pub id: Uuid,
    /// Its sealed size.
    pub size: u64,
    /// When it was written.
    pub written_at: DateTime<Utc>,
}

impl Objects {
    /// Opens the store that the settings name.
    pub fn open(settings: &Storage) -> Result<Self, StorageError> {
        match settings.url.strip_prefix("s3://") {
            Some(bucket) => Self::bucket(settings, bucket.trim_end_matches('/')),
            None => Self::folder(settings),
        }
    }

    fn folder(settings: &Storage) -> Result<Self, StorageError> {
        let path = settings.url.strip_prefix("file:").unwrap_or_default();
        let path = path.strip_prefix("//").unwrap_or(path);
        let folder = PathBuf::from(path);
        std::fs::create_dir_all(&folder)?;
        let folder = folder.canonicalize()?;
        let store = LocalFileSystem::new_with_prefix(&folder)?.with_fsync(settings.fsync);
        Ok(Self {
            store: Arc::new(store),
            folder: Some(folder),
            part: LOCAL_PART,
        })
    }

    fn bucket(settings: &Storage, bucket: &str) -> Result<Self, StorageError> {
        let mut builder = AmazonS3Builder::new()
            .with_bucket_name(bucket)
            .with_region(&settings.region)
            .with_virtual_hosted_style_request(settings.virtual_hosted)
            .with_allow_http(settings.endpoint.starts_with("http://"));
        if !settings.endpoint.is_empty() {
            builder = builder.with_endpoint(&settings.endpoint);
        }
        if let (Some(id), Some(secret)) = (&settings.access_key_id, &settings.secret_access_key) {
            builder = builder
                .with_access_key_id(id.expose_secret())
                .with_secret_access_key(secret.expose_secret());
        }
        Ok(Self {
            store: Arc::new(builder.build()?),
            folder: None,
            part: BUCKET_PART,
        })
    }

    /// Files of a folder that were begun before `before` and never finished, as a process that died
    /// leaves them. A bucket has a rule of its own for that.
    pub async fn unfinished(&self, before: DateTime<Utc>) -> Result<Vec<PathBuf>, StorageError> {
        self.in_folder(before, local::unfinished).await
    }

    /// Removes them.
    pub async fn sweep_unfinished(&self, before: DateTime<Utc>) -> Result<usize, StorageError> {
        self.in_folder(before, local::sweep_unfinished).await
    }

    async fn in_folder<T, F>(&self, before: DateTime<Utc>, work: F) -> Result<T, StorageError>
    where
        T: Default + Send + 'static,
        F: FnOnce(&std::path::Path, SystemTime) -> std::io::Result<T> + Send + 'static,
    {
        let Some(folder) = &self.folder else {
            return Ok(T::default());
        };
        let folder = folder.join(FOLDER);
        let done = tokio::task::spawn_blocking(move || work(&folder, before.into())).await;
        Ok(done.map_err(std::io::Error::other).flatten()?)
    }

    /// Where the object is. Its last digits are random, and spread objects over folders.
    pub(super) fn place(id: Uuid) -> Path {
        let name = id.simple().to_string();
        let (_, spread) = name.split_at(name.len() - 2);
        Path::from(format!("{FOLDER}/{spread}/{name}"))
    }

    /// Deletes an object; one that is not there is as good as deleted.
    pub async fn delete(&self, id: Uuid) -> Result<(), StorageError> {
        match self.store.delete(&Self::place(id)).await {
            Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// The sealed size of an object, if it is there.
    pub async fn size(&self, id: Uuid) -> Result<Option<u64>, StorageError> {
        match self.store.head(&Self::place(id)).await {
            Ok(meta) => Ok(Some(meta.size)),
            Err(object_store::Error::NotFound { .. }) => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    /// All objects, in no order. What does not have a name of ours is left out.
    pub fn list(&self) -> BoxStream<'static, Result<Listed, StorageError>> {
        let listed = self.store.list(Some(&Path::from(FOLDER)));
        let ours = listed
            .map_err(StorageError::from)
            .try_filter_map(|meta| async move {
                let id = meta
                    .location
                    .filename()
                    .and_then(|name| Uuid::try_parse(name).ok());
                Ok(id.map(|id| Listed {
                    id,
                    size: meta.size,
                    written_at: meta.last_modified,
                }))
            });
        ours.boxed()
    }
}
