"""Steps of expressions: the entry point ``pca`` of the group ``embedhub.steps`` is the class of ``pca(100)``.

The class is imported when an expression that uses it is opened, and not before.
"""

import difflib
from typing import Any

from embedhub.errors import EmbedhubError, PluginError
from embedhub.registry.entry_points import entry_points
from embedhub.registry.expression import LIMIT, Argument, Expression
from embedhub.registry.failure import describe

GROUP = "embedhub.steps"


def open_step(expression: Expression, number: int, arguments: tuple[Argument, ...]) -> Any:
    """Return the object of a step of an expression: its class, called with the arguments of the step.

    Args:
        expression: The expression, as the user has it.
        number: Index of the step.
        arguments: Its arguments, with absolute paths.

    Raises:
        SourceNotFoundError: No plugin has the step, or several have, or it does not take these arguments.
        PluginError: The plugin fails.
        EmbedhubError: As the plugin raises it.
    """
    step = expression.steps[number]
    found = [item for item in entry_points(GROUP) if item[1].name == step.name]
    if not found:
        known = sorted({LIMIT, *(entry_point.name for _, entry_point in entry_points(GROUP))})
        close = difflib.get_close_matches(step.name, known, n=1)
        hint = f" (did you mean {close[0]}?)" if close else ""
        expression.refuse_step(
            number, f"no installed plugin has the step {step.name}{hint}; steps are {', '.join(known)}"
        )
    if len(found) > 1:
        providers = " and by ".join(provider for provider, _ in found)
        expression.refuse_step(
            number,
            f"the step {step.name} is provided by {providers}; uninstall one of them, or name one in "
            "EMBEDHUB_DISABLE_PLUGINS",
        )
    ((provider, entry_point),) = found
    try:
        return _called(entry_point.load(), expression, number, arguments)
    except (EmbedhubError, KeyboardInterrupt):
        raise
    except (Exception, SystemExit) as error:
        raise PluginError(
            f"{expression}: the embedhub plugin {provider} fails in the step {step.name}: "
            f"{describe(error, entry_point.module)}. Update or uninstall it."
        ) from error


def _called(kind: Any, expression: Expression, number: int, arguments: tuple[Argument, ...]) -> Any:
    import inspect

    try:
        inspect.signature(kind).bind(*arguments)
    except TypeError as error:
        name = expression.steps[number].name
        expression.refuse_step(number, f"the step {name} does not take these arguments ({error})")
    try:
        return kind(*arguments)
    except (TypeError, ValueError) as error:
        if isinstance(error, EmbedhubError):
            raise
        expression.refuse_step(number, str(error).removesuffix("."))
