"""Makes videos with Google's official client on Vertex, as a service account: token, submit, poll, the bytes.

Arguments: the base URL of the provider, the account's key file, and the file that the video goes into.
"""

import json
import sys

from google import genai
from google.genai import types
from google.oauth2 import service_account
from sdk_veo import check_failures, finished

base_url, key_file, out = sys.argv[1:]
with open(key_file) as content:
    account = {**json.load(content), "token_uri": base_url + "/token"}
credentials = service_account.Credentials.from_service_account_info(
    account, scopes=["https://www.googleapis.com/auth/cloud-platform"]
)
client = genai.Client(
    vertexai=True,
    project="test-project",
    location="us-central1",
    credentials=credentials,
    http_options=types.HttpOptions(base_url=base_url, api_version="v1"),
)
model = "veo-3.1-generate-001"


def config(**more):
    return types.GenerateVideosConfig(
        number_of_videos=1, duration_seconds=6, aspect_ratio="9:16", resolution="720p", **more
    )

operation = client.models.generate_videos(
    model=model, prompt="a paper boat", config=config(seed=7, generate_audio=True)
)
video = finished(client, operation).response.generated_videos[0].video
assert video.mime_type == "video/mp4" and not video.uri, video.uri
video.save(out)

stored = client.models.generate_videos(
    model=model, prompt="a paper boat", config=config(output_gcs_uri="gs://my-bucket/videos")
)
uri = finished(client, stored).response.generated_videos[0].video.uri
assert uri.startswith("gs://my-bucket/videos/") and uri.endswith(".mp4"), uri

check_failures(client, model)
