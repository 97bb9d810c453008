//! What a video file is: probing what was downloaded, and a picture of it.
