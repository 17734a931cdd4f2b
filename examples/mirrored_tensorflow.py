"""The same vectors on several devices, each with its part of a batch: tf.distribute.MirroredStrategy.

    python examples/mirrored_tensorflow.py

The two devices are made of one CPU, so that this runs anywhere; on a machine with GPUs leave out the
line that makes them, and `devices=`.
"""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import numpy as np
import tensorflow as tf

import embedhub


def main() -> None:
    """Make a layer on two devices, look at it, and train over it."""
    cpu = tf.config.list_physical_devices("CPU")[0]
    tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
    strategy = tf.distribute.MirroredStrategy(devices=["CPU:0", "CPU:1"])

    word_index = {"music": 1, "rain": 2, "qwxz": 3}
    with strategy.scope():
        layer = embedhub.keras_embedding("wordnet-ppmi", 50, word_index, trainable="missing", mask_zero=True)
        model = keras.Sequential([layer, keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1)])
        model.compile("adam", "mse")

    expected = embedhub.embedding_matrix("wordnet-ppmi", 50, word_index).matrix
    frozen = max(layer.non_trainable_weights, key=lambda weight: weight.shape[1])
    for copy in strategy.experimental_local_results(frozen.value):
        print(f"{copy.device}: all right: {np.array_equal(copy.numpy(), expected)}")

    indices = np.array([[1, 2, 3], [3, 2, 0], [3, 1, 0], [2, 3, 1]])
    model.fit(indices, np.ones((4, 1)), batch_size=4, verbose=0)
    rows = keras.ops.convert_to_numpy(layer(np.arange(4)[None]))[0]
    print(f"trained rows: {np.flatnonzero((rows != expected).any(axis=1)).tolist()}")


if __name__ == "__main__":
    main()
