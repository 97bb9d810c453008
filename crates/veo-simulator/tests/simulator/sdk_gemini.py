"""Makes a video with Google's official client, the way its own documentation does: submit, poll, download.

Arguments: the base URL of the provider, and the file that the video goes into.
"""

import sys

from google import genai
from google.genai import types
from sdk_veo import check_failures, finished

base_url, out = sys.argv[1:]
client = genai.Client(api_key="key", http_options=types.HttpOptions(base_url=base_url))
model = "veo-3.1-generate-001"

config = types.GenerateVideosConfig(
    number_of_videos=1,
    duration_seconds=6,
    aspect_ratio="9:16",
    resolution="720p",
    negative_prompt="people",
)
operation = finished(client, client.models.generate_videos(model=model, prompt="a paper boat", config=config))
video = operation.response.generated_videos[0].video
client.files.download(file=video)
video.save(out)

check_failures(client, model)
