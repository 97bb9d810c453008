"""What both ways of asking for Veo have in common in Google's official client."""

import time

from google.genai import errors


def finished(client, operation):
    deadline = time.monotonic() + 120
    while not operation.done:
        assert time.monotonic() < deadline, "the operation does not end"
        time.sleep(0.1)
        operation = client.operations.get(operation)
    return operation


def check_failures(client, model):
    """What a filter takes, what fails, and what is invalid."""
    operation = finished(client, client.models.generate_videos(model=model, prompt="[sim:filtered]"))
    assert not operation.response.generated_videos, operation
    assert operation.response.rai_media_filtered_count == 1, operation

    operation = finished(client, client.models.generate_videos(model=model, prompt="[sim:fail]"))
    assert operation.error["code"] == 13, operation

    try:
        client.models.generate_videos(model=model, prompt="a boat [sim:unheard-of]")
    except errors.ClientError as error:
        assert error.code == 400, error
    else:
        raise AssertionError("what is invalid was accepted")
