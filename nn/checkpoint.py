"""Saving and loading: `save` and `load`, in the safetensors format.

A file holds numbers and a text that describes them, no code: loading can run nothing. Arrays lie in it as safetensors
has them; what else there is (step counts, rates, states of random generators) is JSON in its metadata. The arrays of
`model` have their plain names, so that such a file is also a state_dict for others, and theirs one for us.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from autograd.tensor import Tensor, raw
from nn.module import Module

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FORMAT = "bargrad 1"
_ARRAY = "$array"


class CheckpointFileError(ValueError):
    """A file is damaged, is no safetensors file, or does not hold what is asked for."""


def save(path: str | Path, **objects: Any) -> None:
    """Write states to a file, all or nothing: a new file takes the old one's place only when it is complete.

    Args:
        path: the file, usually *.safetensors.
        **objects: what to save, by name: modules (with the states of their random generators), whatever has a
            `state_dict` (optimizers, schedules, batches), random generators, arrays, and numbers, texts, lists and
            dicts of such.

    Raises:
        TypeError: an object that cannot be saved.
        OSError: the file cannot be written.

    Example:
        `save("run.safetensors", model=model, optimizer=optimizer, epoch=3)`; later, with objects made in the same way,
        `load("run.safetensors", model=model, optimizer=optimizer)["epoch"]`.
    """
    from safetensors.numpy import save as serialize

    arrays: dict[str, NDArray[Any]] = {}
    content = {}
    for name, value in objects.items():
        state = _state(value)
        if name == "model" and isinstance(value, Module):
            arrays.update(state["arrays"])
            state["arrays"] = None
        content[name] = _without_arrays(state, name, arrays)
    stored = {name: np.asarray(array, array.dtype.newbyteorder("="), order="C") for name, array in arrays.items()}
    text = json.dumps(content)
    metadata = {"format": _FORMAT, "content": text, "crc32": str(_checksum(stored, text))}
    _replace(Path(path), serialize(stored, metadata))


def load(path: str | Path, **objects: Any) -> dict[str, Any]:
    """Read a file that `save` wrote, and bring objects into the state they had then.

    A file of another program, such as a PyTorch state_dict saved by safetensors, holds a `model` only.

    Args:
        path: the file.
        **objects: modules, optimizers, schedules, generators to restore, by the names they were saved under; all of
            them or, if one does not fit, none.

    Returns:
        What else the file holds, by name: numbers, texts, arrays, and states of objects not asked for.

    Raises:
        CheckpointFileError: a damaged or foreign file, or one without an object that is asked for.
        TypeError: an object that has no state to restore.
        ValueError: an object does not fit its state; see `Module.load_state_dict`.
        OSError: the file cannot be read.
    """
    for name, value in objects.items():
        if not isinstance(value, (Module, np.random.Generator)) and not hasattr(value, "load_state_dict"):
            raise TypeError(f"load: {name} is a {type(value).__name__}, which cannot be brought into a state")
    content = _read(Path(path))
    missing = objects.keys() - content.keys()
    if missing:
        raise CheckpointFileError(f"{path}: there is no {sorted(missing)} in this file; it holds {sorted(content)}")
    before = {name: _state(value) for name, value in objects.items()}
    try:
        for name, value in objects.items():
            _restore(value, content.pop(name), f"{path}: {name}")
    except BaseException:
        for name, value in objects.items():
            _restore(value, before[name], name)
        raise
    if isinstance(content.get("model"), dict) and "arrays" in content["model"]:
        content["model"] = content["model"]["arrays"]
    return content


# --- Objects and their states ------------------------------------------------------------------------------


def _state(value: Any) -> Any:
    """Return the state of an object, as nested lists and dicts of arrays and plain values."""
    if isinstance(value, Module):
        generators = {path: generator.bit_generator.state for path, generator in value.named_generators()}
        return {"arrays": value.state_dict(), "generators": generators}
    if isinstance(value, np.random.Generator):
        return value.bit_generator.state
    return value.state_dict() if hasattr(value, "state_dict") else value


def _restore(value: Any, state: Any, where: str) -> None:
    """Bring an object into a state."""
    try:
        if isinstance(value, Module):
            value.load_state_dict(state["arrays"])
            own = dict(value.named_generators())
            for path, generator_state in state.get("generators", {}).items():
                if path in own:
                    own[path].bit_generator.state = generator_state
        elif isinstance(value, np.random.Generator):
            value.bit_generator.state = state
        else:
            value.load_state_dict(state)
    except (KeyError, AttributeError, IndexError, TypeError) as error:
        raise CheckpointFileError(f"{where}: the file holds something else under this name ({error!r})") from error
    except ValueError as error:
        error.add_note(f"in {where}")
        raise


# --- Nested states and flat files --------------------------------------------------------------------------


def _without_arrays(state: Any, path: str, arrays: dict[str, NDArray[Any]]) -> Any:
    """Return the state for JSON, with each array moved to `arrays` and its name in its place."""
    if isinstance(state, (Tensor, np.ndarray)):
        arrays[path] = raw(state)
        return {_ARRAY: path}
    if isinstance(state, np.generic):
        return state.item()
    if isinstance(state, Mapping):
        return {str(key): _without_arrays(value, f"{path}:{key}", arrays) for key, value in state.items()}
    if isinstance(state, (list, tuple)):
        return [_without_arrays(value, f"{path}:{i}", arrays) for i, value in enumerate(state)]
    if state is None or isinstance(state, (bool, int, float, str)):
        return state
    raise TypeError(f"save: {path} is a {type(state).__name__}, which cannot be saved")


def _with_arrays(state: Any, arrays: dict[str, NDArray[Any]]) -> Any:
    """Undo `_without_arrays`, taking the arrays out of `arrays`."""
    if isinstance(state, dict):
        if state.keys() == {_ARRAY}:
            return arrays.pop(state[_ARRAY])
        return {key: _with_arrays(value, arrays) for key, value in state.items()}
    if isinstance(state, list):
        return [_with_arrays(value, arrays) for value in state]
    return state


def _checksum(arrays: Mapping[str, NDArray[Any]], content: str) -> int:
    """Return the checksum of the arrays, with their names, types and shapes, and of the description."""
    total = zlib.crc32(content.encode())
    for name in sorted(arrays):
        array = arrays[name]
        total = zlib.crc32(f"{name} {array.dtype} {array.shape}".encode(), total)
        total = zlib.crc32(array.tobytes(), total)
    return total


def _read(path: Path) -> dict[str, Any]:
    """Return what the file holds, by name; a foreign file's arrays are the model's."""
    from safetensors.numpy import load as deserialize

    body = path.read_bytes()
    try:
        arrays = deserialize(body)
        metadata = json.loads(body[8 : 8 + int.from_bytes(body[:8], "little")]).get("__metadata__", {})
    except Exception as error:  # whatever a parser may raise on arbitrary bytes
        raise CheckpointFileError(f"{path}: this is no safetensors file, or a damaged one ({error})") from error
    if metadata.get("format") != _FORMAT and "crc32" not in metadata:
        return {"model": {"arrays": arrays}}
    if metadata.get("format") != _FORMAT:
        raise CheckpointFileError(f"{path}: expected the format {_FORMAT!r}, got {metadata.get('format')!r}")
    if metadata.get("crc32") != str(_checksum(arrays, metadata.get("content", ""))):
        raise CheckpointFileError(f"{path}: the file is damaged: its contents do not have their checksum")
    try:
        content = _with_arrays(json.loads(metadata["content"]), arrays)
    except (KeyError, TypeError, ValueError, RecursionError) as error:
        raise CheckpointFileError(f"{path}: the file is damaged: {error!r} in its description") from error
    if not isinstance(content, dict):
        raise CheckpointFileError(f"{path}: the file is damaged: its description is no dict")
    model = content.get("model")
    if isinstance(model, dict) and model.get("arrays", ...) is None:
        model["arrays"] = arrays
    return content


def _replace(path: Path, body: bytes) -> None:
    """Put a file with these contents in the place of `path`, in one step."""
    new = path.with_name(f".{path.name}.new")
    with new.open("wb") as file:
        file.write(body)
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)
    if hasattr(os, "O_DIRECTORY"):
        directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
