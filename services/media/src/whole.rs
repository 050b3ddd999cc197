//! Files that are in memory as a whole while something is made of them. All of them together
//! never take more than `media.whole_bytes`.

use std::ops::Deref;
use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use uuid::Uuid;

use crate::error::Error;
use crate::state::Media;
use crate::storage::{ObjectKey, Plain, StorageError};
use crate::store::blobs::{self, Blob};

/// Room is given out in pieces of so many bytes.
const GRAIN: u64 = 1024;

/// Room for whole files. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Room {
    grains: Arc<Semaphore>,
    all: u32,
}

/// A file that is here as a whole. Its room is free again when the last who has it lets it go.
#[derive(Debug)]
pub struct Whole {
    bytes: Vec<u8>,
    #[expect(dead_code, reason = "holding it is what it is for")]
    room: OwnedSemaphorePermit,
}

impl Deref for Whole {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.bytes
    }
}

impl Room {
    /// Room for so many bytes.
    pub fn new(bytes: u64) -> Self {
        let all = grains(bytes);
        let grains = Semaphore::new(usize::try_from(all).unwrap_or(Semaphore::MAX_PERMITS));
        Self {
            grains: Arc::new(grains),
            all,
        }
    }

    /// Waits for room for `size` bytes, in the order of those who wait. What is larger than all of it gets all of it.
    async fn take(&self, size: u64) -> Result<OwnedSemaphorePermit, StorageError> {
        let wanted = grains(size).min(self.all);
        let room = self.grains.clone().acquire_many_owned(wanted).await;
        room.map_err(|closed| std::io::Error::other(closed).into())
    }
}

fn grains(bytes: u64) -> u32 {
    u32::try_from(bytes.div_ceil(GRAIN)).unwrap_or(u32::MAX)
}

/// An object that can be read.
pub struct Object {
    /// Its id.
    pub id: Uuid,
    /// Its key.
    pub key: ObjectKey,
    /// Its size.
    pub size: u64,
}

impl Media {
    /// The object of a blob.
    pub fn object(&self, blob: &Blob) -> Result<Object, Error> {
        let key = self.vault.open(&blobs::key_place(blob.id), &blob.key_sealed)?;
        Ok(Object {
            id: blob.id,
            key: ObjectKey::from_bytes(&key)?,
            size: u64::try_from(blob.size).unwrap_or(u64::MAX),
        })
    }

    /// Reads an object piece by piece.
    pub async fn read(&self, object: &Object) -> Result<Plain, StorageError> {
        let all = 0..object.size;
        self.objects.read(object.id, &object.key, object.size, all).await
    }

    /// Reads an object whole, once there is room for it.
    pub async fn read_whole(&self, id: Uuid, key: &ObjectKey, size: u64) -> Result<Arc<Whole>, Error> {
        let room = self.room.take(size).await?;
        let bytes = self.objects.read_whole(id, key, size).await?;
        Ok(Arc::new(Whole { bytes, room }))
    }
}

#[cfg(test)]
mod tests {
    use futures_util::FutureExt as _;

    use super::*;

    #[tokio::test]
    async fn there_is_never_more_than_there_is_room_for() {
        let room = Room::new(10 << 10);
        let first = room.take(6 << 10).await.unwrap();
        assert!(room.take(5 << 10).now_or_never().is_none(), "it waits");
        let second = room.take(4 << 10).await.unwrap();
        drop(first);
        let third = room.take(6 << 10).await.unwrap();
        drop((second, third));
        let all = room.take(1 << 40).await.unwrap();
        assert!(room.take(1).now_or_never().is_none());
        drop(all);
        drop(room.take(1).await.unwrap());
    }
}
