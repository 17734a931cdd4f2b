"""Clones of models, which Keras makes from configs, without the weights."""

from typing import Any

import keras
import numpy as np
import pytest

import embedhub

WORDS = {"music": 1, "qwxz": 2, "rain": 3}
INDICES = np.array([[0, 1, 2, 3]])


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore::embedhub.errors.CoverageWarning")  # a missing word, on purpose
@pytest.mark.parametrize("trainable", [False, True, "missing"])
def test_clone_does_not_pass_for_the_model(trainable: Any) -> None:
    """A clone has no vectors: its results are NaN until it gets the weights."""
    layer = embedhub.keras_embedding("wordnet-ppmi", 25, WORDS, input_length=4, trainable=trainable)
    model = keras.Sequential([layer, keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(2)])
    clone = keras.models.clone_model(model)
    assert np.isnan(clone.predict(INDICES, verbose=0)).all()
    clone.set_weights(model.get_weights())
    assert (clone.predict(INDICES, verbose=0) == model.predict(INDICES, verbose=0)).all()
