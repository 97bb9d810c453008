//! What a conversation is called until somebody names it: pure.

/// The longest title that is made of a message, in characters.
const LONGEST: usize = 60;

/// The title of a conversation that begins with these words; nothing if there is nothing to see in them.
#[must_use]
pub fn of(words: &str) -> Option<String> {
    let visible: String = words.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    Some(cut(&visible, LONGEST)).filter(|title| !title.is_empty())
}

/// A text on one line, of at most so many characters, and cut after a word.
#[must_use]
pub fn cut(text: &str, most: usize) -> String {
    let line = text.split_whitespace().collect::<Vec<_>>().join(" ");
    if line.chars().count() <= most {
        return line;
    }
    // One character is for the sign that there was more.
    let end = line.char_indices().nth(most.saturating_sub(1)).map_or(line.len(), |(end, _)| end);
    let head = &line[..end];
    // A language without spaces, or one endless word, is cut anywhere.
    let after_word = if line[end..].starts_with(' ') { Some(end) } else { head.rfind(' ') };
    format!(
        "{}…",
        head[..after_word.unwrap_or(end)].trim_end_matches([' ', ',', '.', ';', ':', '-', '–', '—'])
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_title_is_the_beginning_of_what_was_said() {
        for (words, title) in [
            ("Hello!", Some("Hello!")),
            ("  a paper\nboat \u{1b} at   sea ", Some("a paper boat at sea")),
            (
                "Make me a video of a paper boat crossing a rainy street, at dusk, slowly",
                Some("Make me a video of a paper boat crossing a rainy street, at…"),
            ),
            (
                "Make me a video of a small paper boat crossing the street, at dusk",
                Some("Make me a video of a small paper boat crossing the street…"),
            ),
            (&"ü".repeat(60), Some("ü".repeat(60).as_str())),
            (&"雨".repeat(61), Some(format!("{}…", "雨".repeat(59)).as_str())),
            (" \n\u{0} ", None),
        ] {
            assert_eq!(of(words).as_deref(), title);
            assert!(title.is_none_or(|title| title.chars().count() <= LONGEST), "{words}");
        }
    }
}
