//! Pictures that move: written anew frame by frame.

use std::io::Cursor;
use std::num::NonZeroU64;

use gif::{ColorOutput, DecodeOptions, Encoder, MemoryLimit};
use image::codecs::webp::WebPDecoder;
use image::{AnimationDecoder, ImageDecoder};

use super::colour::Profile;
use super::decode::{allowance, broken};
use super::header::{Header, damaged};
use super::{Derived, Refusal};
use crate::kinds::Kind;

/// Whether all of it decodes.
pub(super) fn check(bytes: &[u8], header: &Header) -> Result<(), Refusal> {
    if header.kind == Kind::Gif {
        let mut decoder = reader(bytes, header)?;
        while decoder
            .read_next_frame()
            .map_err(|error| damaged(&error.to_string()))?
            .is_some()
        {}
        return Ok(());
    }
    webp_frames(bytes, header, |_, _, _| ())
}

/// The same animation and nothing else.
pub(super) fn copy(bytes: &[u8], header: &Header) -> Result<Derived, Refusal> {
    let bytes = if header.kind == Kind::Gif {
        gif(bytes, header)?
    } else {
        webp(bytes, header)?
    };
    Ok(Derived {
        bytes,
        kind: header.kind,
        width: header.width,
        height: header.height,
    })
}

fn reader<'a>(bytes: &'a [u8], header: &Header) -> Result<gif::Decoder<&'a [u8]>, Refusal> {
    let mut options = DecodeOptions::new();
    options.set_color_output(ColorOutput::Indexed);
    options.check_frame_consistency(true);
    let most = u64::from(header.width) * u64::from(header.height) + (1 << 16);
    options.set_memory_limit(NonZeroU64::new(most).map_or(MemoryLimit::Unlimited, MemoryLimit::Bytes));
    options
        .read_info(bytes)
        .map_err(|error| damaged(&error.to_string()))
}

/// Frames keep their own colours; comments, other programs' blocks and what follows the end are left.
fn gif(bytes: &[u8], header: &Header) -> Result<Vec<u8>, Refusal> {
    let failed = |error: &dyn std::fmt::Display| damaged(&error.to_string());
    let mut decoder = reader(bytes, header)?;
    let palette = decoder.global_palette().unwrap_or_default().to_vec();
    let (width, height) = (decoder.width(), decoder.height());
    let mut encoder = Encoder::new(Vec::new(), width, height, &palette).map_err(|error| failed(&error))?;
    let mut begun = false;
    while let Some(frame) = decoder.read_next_frame().map_err(|error| failed(&error))? {
        let mut frame = frame.clone();
        frame.interlaced = false;
        frame.needs_user_input = false;
        let repeat = decoder.repeat();
        if !begun && header.frames > 1 {
            encoder.set_repeat(repeat).map_err(|error| failed(&error))?;
        }
        begun = true;
        encoder.write_frame(&frame).map_err(|error| failed(&error))?;
    }
    if !begun {
        return Err(damaged("it has no picture"));
    }
    encoder.into_inner().map_err(|error| failed(&error))
}

fn webp(bytes: &[u8], header: &Header) -> Result<Vec<u8>, Refusal> {
    let mut frames = Vec::new();
    let mut at = 0_i32;
    webp_frames(bytes, header, |frame, milliseconds, _| {
        frames.push((frame.into_raw(), at));
        at = at.saturating_add(milliseconds);
    })?;
    let unwritable = || damaged("it cannot be written as WebP");
    let mut config = webp::WebPConfig::new().map_err(|()| unwritable())?;
    config.quality = 80.0;
    let mut encoder = webp::AnimEncoder::new(header.width, header.height, &config);
    for (pixels, at) in &frames {
        encoder.add_frame(webp::AnimFrame::from_rgba(
            pixels,
            header.width,
            header.height,
            *at,
        ));
    }
    encoder
        .try_encode()
        .map(|memory| memory.to_vec())
        .map_err(|_| unwritable())
}

/// Gives each whole frame with the milliseconds that it is shown for, and its number.
fn webp_frames(
    bytes: &[u8],
    header: &Header,
    mut each: impl FnMut(image::RgbaImage, i32, u32),
) -> Result<(), Refusal> {
    let mut decoder = WebPDecoder::new(Cursor::new(bytes)).map_err(|error| broken(&error))?;
    decoder
        .set_limits(allowance(header))
        .map_err(|error| broken(&error))?;
    let profile = Profile::read(decoder.icc_profile().unwrap_or_default());
    let mut count = 0;
    for frame in decoder.into_frames() {
        let frame = frame.map_err(|error| broken(&error))?;
        let (over, under) = frame.delay().numer_denom_ms();
        let milliseconds = i32::try_from(over / under.max(1)).unwrap_or(i32::MAX);
        let mut image = frame.into_buffer();
        if image.dimensions() != (header.width, header.height) || count >= header.frames {
            return Err(damaged("its frames are not what its header says"));
        }
        profile.as_ref().inspect(|profile| profile.rgba(&mut image));
        each(image, milliseconds, count);
        count += 1;
    }
    if count == header.frames {
        Ok(())
    } else {
        Err(damaged("frames are missing"))
    }
}
