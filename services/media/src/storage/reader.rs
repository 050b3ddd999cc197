//! Reading an object, or a part of it, in plain.

use std::fs::File;
use std::ops::Range;
use std::os::unix::fs::FileExt as _;
use std::sync::Arc;

use bytes::{Bytes, BytesMut};
use futures_util::StreamExt as _;
use futures_util::stream::{self, BoxStream};
use object_store::{GetOptions, GetRange, GetResultPayload, ObjectStore as _};
use uuid::Uuid;

use super::seal::{CHUNK, Damaged, ObjectKey, Opener, TAG};
use super::{Objects, StorageError};

/// Sealed bytes of a chunk.
const SEALED: usize = CHUNK + TAG;

/// The plain bytes of a part of an object, a chunk at a time.
pub struct Plain {
    source: Source,
    opener: Opener,
    /// Of the next chunk, plain bytes that are before the part.
    skip: usize,
    /// Plain bytes that are still to come.
    left: u64,
}

enum Source {
    /// Read by the chunk, outside of the event loop.
    File { file: Arc<File>, at: u64, end: u64 },
    /// As it comes over the network.
    Stream {
        stream: BoxStream<'static, object_store::Result<Bytes>>,
        waiting: BytesMut,
    },
}

impl Objects {
    /// Reads the plain bytes in `range` of the object `id`, which has `size` of them.
    pub async fn read(
        &self,
        id: Uuid,
        key: &ObjectKey,
        size: u64,
        range: Range<u64>,
    ) -> Result<Plain, StorageError> {
        let chunk = CHUNK as u64;
        let first = range.start / chunk;
        let last = range.end.max(1).div_ceil(chunk);
        let sealed = first * SEALED as u64..(last * SEALED as u64).min(super::seal::sealed_size(size));
        let options = GetOptions {
            range: Some(GetRange::Bounded(sealed.clone())),
            ..GetOptions::default()
        };
        let got = self.store.get_opts(&Self::place(id), options).await?;
        let source = match got.payload {
            GetResultPayload::File(file, _) => Source::File {
                file: Arc::new(file),
                at: sealed.start,
                end: sealed.end,
            },
            GetResultPayload::Stream(stream) => Source::Stream {
                stream,
                waiting: BytesMut::new(),
            },
        };
        Ok(Plain {
            source,
            opener: Opener::new(key, size, first)?,
            skip: usize::try_from(range.start % chunk).map_err(|_| Damaged)?,
            left: range.end.saturating_sub(range.start),
        })
    }

    /// Reads the whole object, which has at most a size that fits into memory.
    pub async fn read_whole(&self, id: Uuid, key: &ObjectKey, size: u64) -> Result<Vec<u8>, StorageError> {
        let mut plain = self.read(id, key, size, 0..size).await?;
        let mut whole = Vec::with_capacity(usize::try_from(size).map_err(|_| Damaged)?);
        while let Some(piece) = plain.next().await? {
            whole.extend_from_slice(&piece);
        }
        Ok(whole)
    }
}

impl Plain {
    /// The next bytes; `None` at the end. An object that ends too early is an error.
    pub async fn next(&mut self) -> Result<Option<Bytes>, StorageError> {
        if self.left == 0 {
            return Ok(None);
        }
        let mut sealed = self.source.chunk().await?;
        let plain = self.opener.open(&mut sealed)?.len();
        let mut plain = sealed.split_to(plain).freeze();
        let skip = std::mem::take(&mut self.skip).min(plain.len());
        plain = plain.slice(skip..);
        let wanted = usize::try_from(self.left).unwrap_or(usize::MAX);
        plain.truncate(wanted);
        if plain.is_empty() {
            return Err(Damaged.into());
        }
        self.left -= plain.len() as u64;
        Ok(Some(plain))
    }

    /// As a stream, which ends with the first error.
    pub fn into_stream(self) -> BoxStream<'static, Result<Bytes, StorageError>> {
        stream::try_unfold(self, async |mut plain| {
            let piece = plain.next().await?;
            Ok(piece.map(|piece| (piece, plain)))
        })
        .boxed()
    }
}

impl Source {
    /// The next sealed chunk; the last one is shorter.
    async fn chunk(&mut self) -> Result<BytesMut, StorageError> {
        match self {
            Self::File { file, at, end } => {
                let length = usize::try_from(end.saturating_sub(*at))
                    .map_err(|_| Damaged)?
                    .min(SEALED);
                let (file, from) = (file.clone(), *at);
                *at += length as u64;
                // Made here, not there: allocators keep what one thread makes and another lets go.
                let mut chunk = BytesMut::zeroed(length);
                let read =
                    tokio::task::spawn_blocking(move || file.read_exact_at(&mut chunk, from).map(|()| chunk));
                Ok(read.await.map_err(std::io::Error::other)??)
            }
            Self::Stream { stream, waiting } => {
                while waiting.len() < SEALED {
                    match stream.next().await {
                        Some(piece) => waiting.extend_from_slice(&piece?),
                        None => break,
                    }
                }
                Ok(waiting.split_to(waiting.len().min(SEALED)))
            }
        }
    }
}
