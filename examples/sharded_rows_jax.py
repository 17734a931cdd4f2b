"""A table of vectors that outgrows one device: its rows divided among several, by keras.distribution on JAX.

    python examples/sharded_rows_jax.py

The four devices are made of one CPU, so that this runs anywhere; on a machine with accelerators leave the
line with XLA_FLAGS out. The rows go from the host straight to the devices that hold them.
"""

import os

os.environ["KERAS_BACKEND"] = "jax"
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=4"

import keras
import numpy as np

import embedhub


def main() -> None:
    """Make a layer whose rows lie on four devices, look at it, and train over it."""
    devices = keras.distribution.list_devices()
    mesh = keras.distribution.DeviceMesh((1, len(devices)), ("batch", "rows"), devices)
    layout = keras.distribution.LayoutMap(mesh)
    layout[".*embeddings"] = ("rows", None)  # the rows are divided, the columns are not
    # The distribution comes before the layer: a weight is laid out when it is made.
    keras.distribution.set_distribution(
        keras.distribution.ModelParallel(layout_map=layout, batch_dim_name="batch")
    )

    vectors = embedhub.load("wordnet-ppmi", 50)
    word_index = {word: index for index, word in enumerate(vectors.words[:10_001], start=1)}
    layer = embedhub.keras_embedding(vectors, 50, word_index, mask_zero=True)

    table = layer.weights[0].value
    for shard in table.addressable_shards:
        print(f"device {shard.device.id}: rows {shard.index[0].start} to {shard.index[0].stop}")
    expected = embedhub.embedding_matrix(vectors, 50, word_index).matrix
    # Rows of zeros follow the last word, so that four devices have equally many.
    print(f"{len(expected)} rows are {table.shape[0]} on {len(devices)} devices")
    print(f"all right: {np.array_equal(np.asarray(table)[: len(expected)], expected)}")

    model = keras.Sequential([layer, keras.layers.GlobalAveragePooling1D(), keras.layers.Dense(1)])
    model.compile("adam", "mse")
    indices = np.arange(64).reshape(8, 8)
    model.fit(indices, np.ones((8, 1)), batch_size=8, verbose=0)
    print(f"predictions: {model.predict(indices, verbose=0).shape}")


if __name__ == "__main__":
    main()
