//! Android's binary XML, as far as a manifest needs it: elements with their attributes, in order.

use super::archive::u32_at;

/// The most elements, and the most texts, of one manifest.
const ELEMENTS_MAX: usize = 20_000;
const STRINGS_MAX: usize = 100_000;
const DEPTH_MAX: usize = 64;

/// An element: its name, its attributes.
#[derive(Debug, Clone, Default)]
pub(crate) struct Element {
    pub name: String,
    pub attributes: Vec<Attribute>,
}

/// An attribute. Texts are text; numbers and references only a number.
#[derive(Debug, Clone)]
pub(crate) struct Attribute {
    pub name: String,
    pub text: Option<String>,
    pub number: u32,
}

impl Element {
    pub(crate) fn attribute(&self, name: &str) -> Option<&Attribute> {
        self.attributes.iter().find(|a| a.name == name)
    }

    pub(crate) fn text(&self, name: &str) -> Option<&str> {
        self.attribute(name)?.text.as_deref()
    }
}

/// Names of attributes by the number that the system gave them: packers empty the names themselves.
fn known(resource: u32) -> Option<&'static str> {
    Some(match resource {
        0x0101_0001 => "label",
        0x0101_0003 => "name",
        0x0101_0006 => "permission",
        0x0101_000f => "debuggable",
        0x0101_0010 => "exported",
        0x0101_001c => "priority",
        0x0101_020c => "minSdkVersion",
        0x0101_0270 => "targetSdkVersion",
        _ => return None,
    })
}

fn u16_at(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).map(|b| u16::from_le_bytes([b[0], b[1]]))
}

/// Reads a document. `None` when it is not of the form.
pub(crate) fn read(bytes: &[u8]) -> Option<Vec<Element>> {
    let mut at = usize::from(u16_at(bytes, 2)?);
    let (mut strings, mut resources) = (Vec::new(), Vec::new());
    let (mut elements, mut depth) = (Vec::new(), 0usize);
    while let (Some(kind), Some(length)) = (u16_at(bytes, at), u32_at(bytes, at + 4)) {
        let length = length as usize;
        let chunk = bytes.get(at..at.checked_add(length)?)?;
        if length < 8 {
            return None;
        }
        match kind {
            0x0001 if strings.is_empty() => strings = pool(chunk)?,
            0x0180 => {
                resources = chunk[8..]
                    .chunks_exact(4)
                    .filter_map(|b| u32_at(b, 0))
                    .take(STRINGS_MAX)
                    .collect()
            }
            0x0102 => {
                depth += 1;
                if depth > DEPTH_MAX || elements.len() == ELEMENTS_MAX {
                    return None;
                }
                elements.push(element(chunk, &strings, &resources)?);
            }
            0x0103 => depth = depth.saturating_sub(1),
            _ => {}
        }
        at += length;
    }
    (!elements.is_empty()).then_some(elements)
}

fn element(chunk: &[u8], strings: &[String], resources: &[u32]) -> Option<Element> {
    let head = usize::from(u16_at(chunk, 2)?);
    let body = chunk.get(head..)?;
    let name = strings
        .get(u32_at(body, 4)? as usize)
        .cloned()
        .unwrap_or_default();
    let (start, size, count) = (u16_at(body, 8)?, u16_at(body, 10)?, u16_at(body, 12)?);
    let (start, size) = (usize::from(start), usize::from(size).max(20));
    let mut attributes = Vec::new();
    for at in 0..usize::from(count) {
        let from = start + at * size;
        let Some(one) = body.get(from..from + 20) else {
            break;
        };
        let index = u32_at(one, 4)? as usize;
        let by_number = resources.get(index).and_then(|r| known(*r)).map(str::to_owned);
        let name = by_number
            .or_else(|| strings.get(index).cloned())
            .unwrap_or_default();
        let (kind, number) = (one[15], u32_at(one, 16)?);
        let raw = strings.get(u32_at(one, 8)? as usize).cloned();
        let text = if kind == 3 {
            strings.get(number as usize).cloned()
        } else {
            raw
        };
        attributes.push(Attribute { name, text, number });
    }
    Some(Element { name, attributes })
}

fn pool(chunk: &[u8]) -> Option<Vec<String>> {
    let count = (u32_at(chunk, 8)? as usize).min(STRINGS_MAX);
    let utf8 = u32_at(chunk, 16)? & 0x100 != 0;
    let start = u32_at(chunk, 20)? as usize;
    let head = usize::from(u16_at(chunk, 2)?);
    let mut strings = Vec::with_capacity(count.min(4_096));
    // One text may be named by many entries: the sum is bounded, not only the count.
    let mut budget = chunk.len().saturating_mul(4);
    for at in 0..count {
        let offset = u32_at(chunk, head + at * 4)? as usize;
        let text = chunk
            .get(start.checked_add(offset)?..)
            .and_then(|b| if utf8 { narrow(b) } else { wide(b) });
        let text = text.unwrap_or_default();
        budget = budget.checked_sub(text.len())?;
        strings.push(text);
    }
    Some(strings)
}

fn narrow(bytes: &[u8]) -> Option<String> {
    let skip = if *bytes.first()? & 0x80 != 0 { 2 } else { 1 };
    let first = *bytes.get(skip)?;
    let (length, from) = if first & 0x80 != 0 {
        (
            usize::from(first & 0x7f) << 8 | usize::from(*bytes.get(skip + 1)?),
            skip + 2,
        )
    } else {
        (usize::from(first), skip + 1)
    };
    Some(String::from_utf8_lossy(bytes.get(from..from + length)?).into_owned())
}

fn wide(bytes: &[u8]) -> Option<String> {
    let first = u16_at(bytes, 0)?;
    let (length, from): (usize, usize) = if first & 0x8000 != 0 {
        (
            usize::from(first & 0x7fff) << 16 | usize::from(u16_at(bytes, 2)?),
            4,
        )
    } else {
        (usize::from(first), 2)
    };
    let data = bytes.get(from..from.checked_add(length.checked_mul(2)?)?)?;
    let units = data.as_chunks::<2>().0.iter().map(|b| u16::from_le_bytes(*b));
    Some(
        char::decode_utf16(units)
            .map(|c| c.unwrap_or('\u{fffd}'))
            .collect(),
    )
}
