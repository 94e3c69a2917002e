"""The files of a portable model, and what is read back from them."""

import ast
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from common.data import reading
from common.data.reading import Form, Unreadable, check_encoding
from common.data.target import Target
from common.errors import UserError
from common.scoring import portable_model, serving

PIPELINE = "pipeline.onnx"


def write_artifacts(folder: Path, model: bytes, form: Form) -> dict[str, str]:
    """Write the files of a portable model into a folder.

    Args:
        folder: An existing folder.
        model: The pipeline as serialized ONNX.
        form: The form of the records that the model takes.

    Returns:
        The path of each file or folder, by its artifact name in MLflow.
    """
    pipeline, described = folder / PIPELINE, folder / "form.json"
    pipeline.write_bytes(model)
    described.write_text(form.to_json(), encoding="utf-8")
    kept = {portable_model.READING: reading, portable_model.SERVING: serving}
    for name, package in kept.items():
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(package.__path__[0], folder / name, ignore=ignored)
    return {
        portable_model.ARTIFACT: str(pipeline),
        portable_model.FORM: str(described),
        **{name: str(folder / name) for name in kept},
    }


@dataclass(frozen=True)
class KeptModel:
    """A logged portable model that has been located and read.

    Attributes:
        uri: Its URI; an alias has been resolved to a version.
        folder: A local copy.
        form: The form of the records that it takes.
        target: What it predicts.
        label_type: The type of the label's column, by which a file's true labels are read.
        categories: The categories that have a feature of their own, by column; a missing value among
            them is MISSING_TEXT.
        capped: The columns with only their most frequent categories, whose others share a feature.
        missing: The share of the data set's rows without a value, by column that may lack one.
        run_id: The id of the run that logged it; empty if it is not known.
    """

    uri: str
    folder: str
    form: Form
    target: Target
    label_type: str
    categories: Mapping[str, Sequence[str]]
    capped: frozenset[str] = frozenset()
    missing: Mapping[str, float] = field(default_factory=dict)
    run_id: str = ""

    def reading(self, encoding: str) -> "KeptModel":
        """Return a copy that reads files in another encoding.

        Args:
            encoding: Name of the encoding; `auto` for the data set's own.

        Raises:
            UserError: The encoding is unknown, or neither UTF-8 nor single-byte.
        """
        if encoding == "auto":
            return self
        try:
            check_encoding(encoding)
        except Unreadable as error:
            raise UserError(str(error)) from None
        return replace(self, form=replace(self.form, encoding=encoding))

    @property
    def has_our_rules(self) -> bool:
        """Whether the rules for reading that were kept with it are this project's, comments aside."""
        kept = Path(self.folder, "artifacts", portable_model.READING)
        return _modules(kept) == _modules(Path(reading.__path__[0]))

    @property
    def pipeline(self) -> bytes:
        """The model as serialized ONNX."""
        return Path(self.folder, "artifacts", PIPELINE).read_bytes()

    @property
    def version(self) -> str:
        """Version number of the registered model; empty if the URI does not name one."""
        return self.uri.rpartition("/")[2] if self.uri.startswith("models:/") else ""


def _modules(package: Path) -> dict[str, str]:
    """Return what the modules of a package say, by their names."""
    return {path.name: ast.dump(ast.parse(path.read_bytes())) for path in package.glob("*.py")}
