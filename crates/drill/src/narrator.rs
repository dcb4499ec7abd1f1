//! Tells what happens, in plain words.

use crate::api::Later;
use std::io::{IsTerminal as _, Write as _};
use std::time::Duration;

/// What kind of sentence it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// A new story begins.
    Title,
    /// Somebody does something.
    Deed,
    /// simwarden answers.
    Answer,
    /// How it ended.
    End,
}

/// One sentence.
#[derive(Debug, Clone)]
pub struct Said {
    /// What kind.
    pub tone: Tone,
    /// The story it belongs to.
    pub story: &'static str,
    /// The sentence.
    pub text: String,
}

/// Tells, or keeps still.
pub trait Narrator: Send + Sync {
    /// Tells one sentence and waits as long as reading it takes.
    fn tell(&self, said: Said) -> Later<'_, ()>;
}

/// Says nothing.
#[derive(Debug, Clone, Copy, Default)]
pub struct Silent;

impl Narrator for Silent {
    fn tell(&self, _: Said) -> Later<'_, ()> {
        Box::pin(async { Ok(()) })
    }
}

/// Prints to standard output.
#[derive(Debug, Clone, Copy)]
pub struct Terminal {
    /// The pause after a sentence of a hundred characters; none prints at once.
    pub pace: Duration,
}

impl Narrator for Terminal {
    fn tell(&self, said: Said) -> Later<'_, ()> {
        let wait = self.pace * u32::try_from(said.text.chars().count().clamp(20, 300)).unwrap_or(100) / 100;
        Box::pin(async move {
            let mut out = std::io::stdout();
            let text = line(&said, out.is_terminal());
            // A closed terminal must not end the story.
            let _ = writeln!(out, "{text}");
            if !wait.is_zero() {
                tokio::time::sleep(wait).await;
            }
            Ok(())
        })
    }
}

fn line(said: &Said, colours: bool) -> String {
    let (mark, colour) = match said.tone {
        Tone::Title => ("\n■", "1"),
        Tone::Deed => ("  ", "0"),
        Tone::Answer => ("  →", "36"),
        Tone::End => ("  ✔", "32"),
    };
    let story = if said.tone == Tone::Title {
        format!(" [{}]", said.story)
    } else {
        String::new()
    };
    if colours {
        format!("\u{1b}[{colour}m{mark}{story} {}\u{1b}[0m", said.text)
    } else {
        format!("{mark}{story} {}", said.text)
    }
}

#[cfg(test)]
mod tests {
    use super::{Said, Tone, line};

    #[test]
    fn colours_only_for_a_terminal() {
        let said = Said {
            tone: Tone::Answer,
            story: "A1",
            text: "held".to_owned(),
        };
        assert_eq!(line(&said, false), "  → held");
        assert!(line(&said, true).contains("\u{1b}[36m"));
    }
}
