"""Makes videos with Google's official client on Vertex, as a service account: token, submit, poll, the bytes.

Arguments: the base URL of the provider, the account's key file, and the file that the video goes into.
"""

import json
import sys
import time

from google import genai
from google.genai import errors, types
from google.oauth2 import service_account

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


def finished(operation):
    deadline = time.monotonic() + 120
    while not operation.done:
        assert time.monotonic() < deadline, "the operation does not end"
        time.sleep(0.1)
        operation = client.operations.get(operation)
    return operation


def config(**more):
    return types.GenerateVideosConfig(
        number_of_videos=1, duration_seconds=6, aspect_ratio="9:16", resolution="720p", **more
    )


operation = client.models.generate_videos(
    model=model, prompt="a paper boat", config=config(seed=7, generate_audio=True)
)
video = finished(operation).response.generated_videos[0].video
assert video.mime_type == "video/mp4" and not video.uri, video.uri
video.save(out)

stored = client.models.generate_videos(
    model=model, prompt="a paper boat", config=config(output_gcs_uri="gs://my-bucket/videos")
)
uri = finished(stored).response.generated_videos[0].video.uri
assert uri.startswith("gs://my-bucket/videos/") and uri.endswith(".mp4"), uri

operation = finished(client.models.generate_videos(model=model, prompt="[sim:filtered]"))
assert not operation.response.generated_videos, operation
assert operation.response.rai_media_filtered_count == 1, operation

operation = finished(client.models.generate_videos(model=model, prompt="[sim:fail]"))
assert operation.error["code"] == 13, operation

try:
    client.models.generate_videos(model=model, prompt="a boat [sim:unheard-of]")
except errors.ClientError as error:
    assert error.code == 400, error
else:
    raise AssertionError("what is invalid was accepted")
