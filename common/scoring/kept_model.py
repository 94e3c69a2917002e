"""A portable model's own files, and what they say once the model is found again."""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from common.data import reading
from common.data.reading import Form, Unreadable, check_encoding
from common.errors import UserError
from common.scoring import portable_model


def write_artifacts(folder: Path, model: bytes, form: Form) -> dict[str, str]:
    """Write what a portable model is made of into a folder; return where, by MLflow's name for it.

    Args:
        folder: that is there.
        model: the pipeline.
        form: of the records that it takes.
    """
    pipeline, described, rules = folder / "pipeline.onnx", folder / "form.json", folder / "reading"
    pipeline.write_bytes(model)
    described.write_text(form.to_json(), encoding="utf-8")
    shutil.copytree(reading.__path__[0], rules, ignore=shutil.ignore_patterns("__pycache__"))
    return {
        portable_model.ARTIFACT: str(pipeline),
        portable_model.FORM: str(described),
        portable_model.READING: str(rules),
    }


@dataclass(frozen=True)
class KeptModel:
    """A portable model that was kept, found again.

    Attributes:
        uri: where; a version, where an alias was asked for.
        folder: a local copy.
        form: of the records that it takes.
        labels: text of both, the positive one last.
        categories: of a column that has any, those that were seen in training.
    """

    uri: str
    folder: str
    form: Form
    labels: tuple[str, str]
    categories: Mapping[str, Sequence[str]]

    def reading(self, encoding: str) -> "KeptModel":
        """Return it as one that reads files of this encoding; `auto`: the data set's.

        Raises:
            UserError: the encoding is unknown, or of more than a byte a character.
        """
        if encoding == "auto":
            return self
        try:
            check_encoding(encoding)
        except Unreadable as error:
            raise UserError(str(error)) from None
        return replace(self, form=replace(self.form, encoding=encoding))

    @property
    def version(self) -> str:
        """Version of the registered model, if it is one."""
        return self.uri.rpartition("/")[2] if self.uri.startswith("models:/") else ""
