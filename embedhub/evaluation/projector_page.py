"""TensorBoard's Embedding Projector, on this machine alone. The only module that imports TensorBoard."""

import logging
import sys
from pathlib import Path
from types import ModuleType

from embedhub.errors import DependencyError, OutputError


def serve(folder: Path, port: int = 0) -> str:
    """Serve a folder that `embedhub.export` wrote in the format ``projector``, until this process ends.

    Only this machine can reach it: it listens on 127.0.0.1. Nothing is fetched from elsewhere, since the page
    comes with the package ``tensorboard``.

    Args:
        folder: The folder.
        port: Where to listen; 0 for a free port.

    Returns:
        The address of the page.

    Raises:
        DependencyError: TensorBoard is not installed.
        OutputError: The port is taken.
    """
    if "tensorflow" not in sys.modules:
        # A module of this name has TensorBoard read files with its own stand-in for TensorFlow, although that
        # is installed. Measured: the page is served after 0.7 s of work, with TensorFlow after 4.5 s.
        sys.modules.setdefault("tensorboard.compat.notf", ModuleType("tensorboard.compat.notf"))
    try:
        from tensorboard import program
        from tensorboard.plugins.core.core_plugin import CorePluginLoader
        from tensorboard.plugins.projector.projector_plugin import ProjectorPlugin
    except ModuleNotFoundError as error:
        raise DependencyError(
            "Serving the projector needs TensorBoard, which is not installed: pip install "
            f"embedhub[projector]. The files themselves need nothing: load {folder}/vectors.tsv and "
            "metadata.tsv at https://projector.tensorflow.org."
        ) from error
    logging.getLogger("tensorboard").setLevel(logging.ERROR)  # the page asks for plugins that are left out
    # Its other plugins would take as long to load again, to show nothing.
    board = program.TensorBoard(plugins=[CorePluginLoader, ProjectorPlugin])
    # load_fast would start a server of event files, of which there are none, as a process of its own.
    board.configure(logdir=str(folder), host="127.0.0.1", port=port, load_fast="false", reload_interval=0)
    try:
        url = str(board.launch())
    except program.TensorBoardServerException as error:
        raise OutputError(
            f"The projector cannot be served: {error.msg}. Give another port, or 0 for a free one."
        ) from error
    return f"{url.rstrip('/')}/#projector"
