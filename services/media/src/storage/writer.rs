//! Writing an object while its bytes arrive.

use bytes::Bytes;
use object_store::{MultipartUpload, ObjectStoreExt as _, PutPayload};
use uuid::Uuid;

use super::seal::{CHUNK, ObjectKey, Sealer};
use super::{Objects, StorageError};

/// An object that is being written. It is there when it is finished, and not before; one
/// that is dropped before leaves nothing behind.
pub struct Writer {
    objects: Objects,
    id: Uuid,
    sealer: Sealer,
    sealed: Vec<u8>,
    /// What the part before was in, to be filled again: new memory for each part would stay with the
    /// allocator for longer than with us.
    spare: Vec<u8>,
    upload: Option<Upload>,
}

/// Gives up what was begun when it is dropped.
struct Upload(Option<Box<dyn MultipartUpload>>);

impl Drop for Upload {
    fn drop(&mut self) {
        let Some(mut upload) = self.0.take() else {
            return;
        };
        // Without a runtime the process ends, and a folder cleans up after itself.
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                if let Err(error) = upload.abort().await {
                    tracing::warn!(%error, "an upload that was given up may have left parts in the store");
                }
            });
        }
    }
}

impl Objects {
    /// Begins the object `id`, sealed under `key`.
    pub fn write(&self, id: Uuid, key: &ObjectKey) -> Result<Writer, StorageError> {
        Ok(Writer {
            objects: self.clone(),
            id,
            sealer: Sealer::new(key)?,
            sealed: Vec::new(),
            spare: Vec::new(),
            upload: None,
        })
    }
}

impl Writer {
    /// Appends bytes. Waits while the store is slower than the sender.
    pub async fn push(&mut self, plain: &[u8]) -> Result<(), StorageError> {
        // However much comes at once, little more than a part of it is sealed before that is sent.
        for plain in plain.chunks(CHUNK) {
            self.sealer.push(plain, &mut self.sealed)?;
            if let Some((_, rest)) = self.sealed.split_at_checked(self.objects.part) {
                let mut next = std::mem::take(&mut self.spare);
                next.extend_from_slice(rest);
                self.sealed.truncate(self.objects.part);
                let part = std::mem::replace(&mut self.sealed, next);
                self.spare = self.send(part).await?;
            }
        }
        Ok(())
    }

    /// Ends the object; it is there when this answers.
    pub async fn finish(mut self) -> Result<(), StorageError> {
        let mut rest = std::mem::take(&mut self.sealed);
        self.sealer.finish(&mut rest)?;
        if self.upload.is_none() {
            let place = Objects::place(self.id);
            let payload = PutPayload::from(Bytes::from(rest));
            self.objects.store.put(&place, payload).await?;
            return Ok(());
        }
        if let Some(mut upload) = self.upload.take() {
            if let Some(inner) = upload.0.as_mut() {
                inner.put_part(Bytes::from(rest).into()).await?;
                inner.complete().await?;
            }
            upload.0 = None;
        }
        Ok(())
    }

    /// Sends a part. Answers its memory, empty, if nobody else has it any more.
    async fn send(&mut self, part: Vec<u8>) -> Result<Vec<u8>, StorageError> {
        if self.upload.is_none() {
            let place = Objects::place(self.id);
            self.upload = Some(Upload(Some(self.objects.store.put_multipart(&place).await?)));
        }
        if let Some(inner) = self.upload.as_mut().and_then(|upload| upload.0.as_mut()) {
            let part = Bytes::from(part);
            inner.put_part(part.clone().into()).await?;
            let mut spare = part.try_into_mut().map(Vec::from).unwrap_or_default();
            spare.clear();
            return Ok(spare);
        }
        Ok(Vec::new())
    }
}
