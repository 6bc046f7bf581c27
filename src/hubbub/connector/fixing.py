"""What can be done about a picture that a platform would refuse only for its size, its shape or its type.

A film, a moving picture and a picture in a type that cannot be read here are left alone. A picture is never
enlarged: the plan for a small one is none, unless padding alone makes it large enough.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from hubbub.connector.platform import FileRule
from hubbub.kit.media_fix import READS, WRITES, Recipe
from hubbub.kit.media_frame import Frame, How, fits, largest, reading
from hubbub.social.draft import File

WISHES: list[Any] = [True, False, "pad", "crop"]
"""What may be asked for as `platform_data.auto_fix`."""


def way(wish: Any) -> How | None:
    """How somebody wants it; None for not at all. Padding loses nothing of a picture, so it is what yes means."""
    return "pad" if wish is True else wish if wish in ("pad", "crop") else None


def is_wish(wish: Any) -> bool:
    return isinstance(wish, bool) or wish is None or wish in ("pad", "crop")


@dataclass(frozen=True)
class Fix:
    """A picture, changed so that it keeps a rule."""

    recipe: Recipe
    width: int
    height: int
    """Pixels it will have; fewer, in the same shape, when only so it becomes small enough in bytes."""
    how: Literal["pad", "crop", "convert", "compress"]
    says: str
    """The change as the end of a sentence: "padded to 0.8 and saved as image/jpeg"."""

    @property
    def offer(self) -> dict[str, Any]:
        """What to ask for to get it, for programs: `auto_fix` belongs into `platform_data`."""
        return {"auto_fix": "crop" if self.how == "crop" else True, "how": self.how, "says": self.says}


def plan(rule: FileRule, file: File, how: How = "pad") -> Fix | None:
    """The change after which a picture keeps all of a rule; None when none is needed or none would do."""
    needs = _needs(rule, file)
    is_still = file.kind == "image" and file.seconds is None
    if not needs or not is_still or file.content_type not in READS or not file.width or not file.height:
        return None
    content_type = _content_type(rule, file, needs)
    frame = _frame(rule, file, how if "ratio" in needs else "crop")
    if content_type is None or frame is None:
        return None
    if is_too_small(rule, frame.width, frame.height):
        return None
    # In a shape that is right already, only what is left over by whole pixels is ever cut off.
    recipe = Recipe(
        content_type=content_type,
        ratio=rule.ratio,
        how=how if "ratio" in needs else "crop",
        max_bytes=rule.max_bytes,
        min_pixels=rule.min_pixels,
    )
    word = how if "ratio" in needs else "convert" if "type" in needs else "compress"
    return Fix(recipe, frame.width, frame.height, word, _says(rule, file, needs, recipe))


def has_ratio(rule: FileRule, width: int, height: int) -> bool:
    """Whether a shape is within the rule; half a thousandth beyond it still is."""
    if rule.ratio is None or fits(width, height, rule.ratio):
        return True
    least, most = rule.ratio
    return least <= round(width / height, 3) <= most


def is_too_small(rule: FileRule, width: int, height: int) -> bool:
    return bool(rule.min_pixels) and (width < rule.min_pixels[0] or height < rule.min_pixels[1])


def _needs(rule: FileRule, file: File) -> set[str]:
    """What of a rule the file does not keep."""
    width, height = file.width, file.height
    broken = {
        "type": rule.types and file.content_type not in rule.types,
        "size": rule.max_bytes is not None and file.size_bytes > rule.max_bytes,
        "ratio": width and height and not has_ratio(rule, width, height),
        "pixels": width and height and is_too_small(rule, width, height),
    }
    return {name for name, is_broken in broken.items() if is_broken}


def _content_type(rule: FileRule, file: File, needs: set[str]) -> str | None:
    """The file's own type where it may stay, else the first we can write; a photo is smallest as JPEG."""
    taken = [kind for kind in WRITES if not rule.types or kind in rule.types]
    if file.content_type in taken and "size" not in needs:
        return file.content_type
    return taken[0] if taken else None


def _frame(rule: FileRule, file: File, how: How) -> Frame | None:
    read = reading(file.content_type, file.width or 0, file.height or 0)
    found = largest(*read[1], rule.ratio, how) if read else None
    return found[0] if found else None


def _says(rule: FileRule, file: File, needs: set[str], recipe: Recipe) -> str:
    done: list[str] = []
    if "ratio" in needs and rule.ratio and file.width and file.height:
        least, most = rule.ratio
        bound = most if file.width > most * file.height else least
        done.append(f"{'padded with white' if recipe.how == 'pad' else 'cropped'} to {bound:g}")
    if recipe.content_type != file.content_type:
        done.append(f"saved as {recipe.content_type}")
    if "size" in needs:
        done.append(f"compressed to at most {rule.max_bytes:,} bytes")
    return " and ".join([", ".join(done[:-1]), done[-1]] if len(done) > 1 else done)
