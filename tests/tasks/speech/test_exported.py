"""What model.json of an export is read as."""

import pytest

from keras_seq.audio.log_mel import LogMel
from keras_seq.tasks.speech.exported import feature_extractor_of


@pytest.mark.parametrize("key", ["feature_extractor", "front"])
def test_exports_of_earlier_versions_are_read(key: str):
    extractor = LogMel(16_000, 20)
    again = feature_extractor_of({key: extractor.to_dict()})
    assert again.to_dict() == extractor.to_dict()
