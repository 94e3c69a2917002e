import pytest

from common.data.infer.facts import Facts
from common.data.infer.label import choose_label
from common.data.spec_yaml import Given
from common.errors import UserError


def label(values, kind="string", rows=None, estimate=None, **more):
    given = sum(values.values()) if values is not None else rows
    return Facts("y", rows or given, {kind: given}, values=values, estimate=estimate or 0, **more)


def among_numbers(texts, numbers, kind="integer"):
    """The facts of a label of numbers that some texts stand among."""
    values = {**texts, **numbers}
    kinds = {kind: sum(numbers.values()), "string": sum(texts.values())}
    rows = sum(values.values())
    return Facts("y", rows, kinds, values=values, estimate=len(values), example=min(texts))


def given(**keys):
    return Given(name="t", label="y", **keys)


@pytest.mark.parametrize(
    ("values", "kind", "said", "task", "labels", "positive"),
    [
        ({"yes": 70, "no": 30}, "boolean", {}, "binary", ("no", "yes"), "yes"),
        ({"True": 30, "true": 20, "FALSE": 50}, "boolean", {}, "binary", ("false", "true"), "true"),
        ({"<=50K": 70, ">50K": 30}, "string", {}, "binary", ("<=50K", ">50K"), ">50K"),
        ({"<=50K": 30, ">50K": 70}, "string", {}, "binary", (">50K", "<=50K"), "<=50K"),
        ({"a": 50, "b": 50}, "string", {}, "binary", ("a", "b"), "b"),
        ({"a": 50, "A": 50}, "string", {}, "binary", ("A", "a"), "a"),
        ({"Up": 5, "up": 5}, "string", {"labels": ("Up", "up")}, "binary", ("Up", "up"), "up"),
        ({"a": 50, "b": 50}, "string", {"positive": "a"}, "binary", ("b", "a"), "a"),
        ({"a": 50, "b": 50}, "string", {"labels": ("b", "a")}, "binary", ("b", "a"), "a"),
        ({"1": 70, "0": 30}, "integer", {}, "binary", ("0", "1"), "1"),
        ({"1": 30, "-1": 70}, "integer", {}, "binary", ("-1", "1"), "1"),
        ({"1": 70, "2": 30}, "integer", {}, "binary", ("1", "2"), "2"),
        ({"no": 30, "left": 70}, "string", {}, "binary", ("no", "left"), "left"),
        ({"0.0": 30, "1.0": 70}, "whole", {}, "binary", ("0.0", "1.0"), "1.0"),
        ({"0,0": 30, "1,0": 70}, "whole", {}, "binary", ("0,0", "1,0"), "1,0"),
        ({"0.00": 30, "1.00": 70}, "whole", {}, "binary", ("0.00", "1.00"), "1.00"),
        ({"1,0": 30, "2,0": 70}, "whole", {}, "binary", ("2,0", "1,0"), "1,0"),
        ({"False.": 30, "True.": 70}, "string", {}, "binary", ("False.", "True."), "True."),
        ({"0.5": 30, "1.5": 70}, "double", {}, "binary", ("1.5", "0.5"), "0.5"),
        ({"b": 5, "a": 5, "c": 5}, "string", {}, "multiclass", ("a", "b", "c"), ""),
        ({"10": 25, "9": 25, "2": 25}, "integer", {}, "multiclass", ("2", "9", "10"), ""),
        ({"10": 25, "9": 25, "2": 25}, "integer", {"task": "regression"}, "regression", (), ""),
        ({str(n): 4 for n in range(10)}, "integer", {}, "regression", (), ""),
        ({"0": 50, "1": 30, "2": 9, "5": 1}, "integer", {}, "regression", (), ""),
        ({"11.0": 50, "12.0": 30, "13.0": 9, "18.0": 1}, "whole", {}, "regression", (), ""),
        ({"-2": 50, "-1": 30, "0": 9, "1": 1}, "integer", {}, "regression", (), ""),
        ({"0": 50, "1": 30, "2": 9, "5": 2}, "integer", {}, "multiclass", ("0", "1", "2", "5"), ""),
        ({str(n): 9 for n in range(21)}, "integer", {}, "regression", (), ""),
        ({str(n): 9 for n in range(21)}, "integer", {"task": "multiclass"}, "multiclass",
         tuple(str(n) for n in range(21)), ""),
        ({"1.5": 50, "2": 50, "3": 50}, "double", {}, "regression", (), ""),
        ({"5%": 50, "6%": 50}, "percent", {}, "regression", (), ""),
        ({"1E1": 9, "10": 9, "2B": 9}, "string", {}, "multiclass", ("10", "1E1", "2B"), ""),
        ({"1_0": 9, "10": 9, "inf": 9, "Infinity": 9}, "string", {}, "multiclass",
         ("10", "1_0", "Infinity", "inf"), ""),
        ({"1": 9, "1.0": 9, "x": 9}, "string", {"labels": ("x", "1", "1.0")}, "multiclass",
         ("x", "1", "1.0"), ""),
    ],
)  # fmt: skip
def test_label_is_decided_by_its_counts(values, kind, said, task, labels, positive):
    found = choose_label(label(values, kind), given(**said))
    assert (found.task, tuple(found.counts), found.positive) == (task, labels, positive)
    assert (found.type == "string") == (task != "regression")


@pytest.mark.parametrize("values", [{"0": 70, "1": 30}, {"no": 60, "NO": 10, "Yes": 30}])
def test_label_that_the_user_calls_boolean_has_the_labels_that_are_read(values):
    found = choose_label(label(values), given(columns={"y": {"type": "boolean"}}))
    assert (found.type, found.counts, found.positive) == ("boolean", {"false": 70, "true": 30}, "true")


AGES = {str(age): 5 for age in range(18, 60)}


@pytest.mark.parametrize(
    "facts",
    [
        among_numbers({"Unknown": 3}, AGES),
        among_numbers({"Unknown": 3, "n.k.": 2}, {"1.5": 60, "2.5": 70, "3": 9}, "double"),
        Facts("y", 5000, {"double": 4990, "string": 10}, estimate=3000, example="Unknown"),
    ],
)
@pytest.mark.parametrize("said", [{}, {"task": "regression"}])
def test_words_do_not_make_classes_of_numbers_unawares(facts, said):
    with pytest.raises(UserError, match="'Unknown' or another text in .* under missing, or give task"):
        choose_label(facts, given(**said))


@pytest.mark.parametrize(
    ("facts", "said"),
    [
        (among_numbers({"Unknown": 3}, AGES), {"task": "multiclass"}),
        (among_numbers({"Unknown": 3}, AGES), {"labels": ("Unknown", *AGES)}),
        (among_numbers({"Unknown": 3}, AGES), {"columns": {"y": {"type": "string"}}}),
        (among_numbers({"Unknown": 3}, {str(stars): 50 for stars in range(1, 6)}), {}),
        (among_numbers({"V57": 3}, AGES), {}),
        (among_numbers({"S": 300, "M": 300}, AGES), {}),
    ],
)
def test_numbers_and_texts_may_be_classes(facts, said):
    assert choose_label(facts, given(**said)).task == "multiclass"


@pytest.mark.parametrize(
    "word", ["Yes", "true", "t", "Y", "positive", "pos", "churned", "Fraud", "spam.", "default"]
)
def test_word_that_is_asked_about_is_positive_though_it_is_the_commoner(word):
    for counts in ({word: 70, "other": 30}, {"other": 30, word: 70}):
        found = choose_label(label(counts), given())
        assert (found.positive, found.because) == (word, "by its word")


@pytest.mark.parametrize("word", ["No", "false", "f", "N", "0", "-1", "negative", "neg."])
def test_other_one_than_a_word_that_denies_is_positive_though_it_is_the_commoner(word):
    for counts in ({word: 30, "left": 70}, {"left": 70, word: 30}):
        found = choose_label(label(counts), given())
        assert (found.positive, found.because) == ("left", f"the other is {word}")


@pytest.mark.parametrize(
    "counts",
    [
        {"yes": 70, "true": 30},
        {"true": 30, "yes": 70},
        {"no": 70, "false": 30},
        {"1": 70, "2": 30},
        {"1": 70, "other": 30},
    ],
)
def test_rarer_label_is_positive_where_no_word_says_which(counts):
    found = choose_label(label(counts), given())
    assert (found.positive, found.because) == (min(counts, key=counts.get), "the rarer")


def test_neither_of_two_labels_as_frequent_is_called_the_rarer():
    found = choose_label(label({"right": 50, "left": 50}), given())
    assert (found.positive, found.because) == ("right", "the last of two as frequent ones")


def test_one_is_positive_beside_what_denies():
    for other in ("0", "-1", "no"):
        assert choose_label(label({"1": 70, other: 30}), given()).positive == "1"


def test_labels_that_are_left_out_are_none():
    found = choose_label(label({"a": 50, "b": 9, "c": 1, "d": 1}), given(leave_out=("c", "d")))
    assert (found.task, found.counts, found.positive) == ("binary", {"a": 50, "b": 9}, "b")
    found = choose_label(label({"1": 50, "2": 9, "9": 1}, "integer"), given(leave_out=("9",)))
    assert (found.task, tuple(found.counts)) == ("binary", ("1", "2"))


# At both sides of each limit.
WORDS = [f"n{place}" for place in range(101)]
LIMITS = [
    (label(dict.fromkeys(WORDS[:100], 2)), {}, "multiclass"),
    (label(dict.fromkeys(WORDS, 2)), {}, None),
    (label({**dict.fromkeys(WORDS[:9], 2), "x": 2}), {}, "multiclass"),
    (label({str(n): 5 for n in range(20)}, "integer"), {}, "multiclass"),
    (label({str(n): 5 - (n == 0) for n in range(20)}, "integer"), {}, "regression"),
    (label({f"{n}.0": 5 for n in range(20)}, "whole"), {}, "multiclass"),
    (label({"5": 5, "7": 5}, "integer"), {}, "binary"),
    (label({"5": 5, "7": 4}, "integer"), {}, None),
    (label(None, "integer", rows=5000, estimate=4000), {}, "regression"),
    (label(None, "integer", rows=5000, estimate=4000), {"task": "multiclass"}, None),
    (label(None, "string", rows=5000, estimate=4000), {"task": "multiclass"}, None),
    (among_numbers({"Unknown": 50}, {str(n): 2 for n in range(25)}), {}, None),
    (among_numbers({"Unknown": 51}, {str(n): 2 for n in range(25)}), {}, "multiclass"),
]


@pytest.mark.parametrize(("facts", "said", "task"), LIMITS)
def test_label_at_a_limit(facts, said, task):
    if task is None:
        with pytest.raises(UserError):
            choose_label(facts, given(**said))
    else:
        assert choose_label(facts, given(**said)).task == task


def test_label_says_why_it_is_of_its_task():
    for facts, said, why in (
        (label({"5": 5, "7": 5}, "integer"), {}, "numbers, 2 values"),
        (label({"a": 5, "b": 5}), {}, "text, 2 values"),
        (label({"a": 5, "b": 5, "c": 5}), {"task": "multiclass"}, "as given"),
        (label({"1": 50, "2": 50, "3": 9}, "integer"), {"task": "regression"}, "as given"),
        (label({"1": 50, "2": 9, "3": 1, "4": 2}, "integer"), {}, "whole numbers, 3 in only 1 row"),
        (label(None, "integer", rows=500, estimate=400), {}, "whole numbers, many values"),
        (label(None, "double", rows=500, estimate=400), {}, "numbers"),
    ):
        assert choose_label(facts, given(**said)).why == why


FOUR = {"1": 50, "2": 9, "3": 9, "4": 1}
MANY = {f"n{place}": 1 for place in range(200)}


@pytest.mark.parametrize(
    ("facts", "said", "message"),
    [
        (label({"a": 1, "b": 1}), {}, "a value in only 2 of 2 rows: at least 10"),
        (label({}, rows=50), {}, "label 'y' has no values"),
        (label({"a": 4, "b": 4}, rows=50), {}, "a value in only 8 of 50 rows"),
        (label({"a": 50}), {}, "label 'y' is 'a' in every row"),
        (label({"a": 50}, rows=60), {}, "label 'y' is 'a' in every row"),
        (label({"2024-01-01": 50, "2024-01-02": 50}, "date"), {}, "label 'y' is a date"),
        (label(MANY), {}, "has 200 values in 200 rows, such as 'n0': it looks like an identifier"),
        (label(None, rows=5000, estimate=4706), {}, "has about 4,706 values in 5,000 rows"),
        (label({f"n{place}": 1 for place in range(20)}), {}, "has 20 values in 20 rows"),
        (label({"a": 50, "b": 1}), {}, "label 'y' has 'b' in only 1 row: leave such rows out"),
        (
            label({"7": 50, "8": 9, "9": 1}, "integer"),
            {},
            "'9' in only 1 row: .* or give task=regression",
        ),
        (label({"1": 50, "2": 9, "3": 9, "9": 1}, "integer"), {}, "'9' in only 1 row: .*=regression"),
        (label(FOUR, "integer"), {"labels": tuple(FOUR)}, "'4' in only 1 row"),
        (label(FOUR, "integer"), {"task": "multiclass"}, "'4' in only 1 row"),
        (
            label({"a": 50, "b, c": 1, "d": 1}),
            {},
            r"has 2 values such as 'b, c' in only 1 row each: .* by leave_out: \[.b, c., .d.\] in a data",
        ),
        (label({"a": 50, "b": 9}), {"leave_out": ("c",)}, "leave_out names 'c', which is no value of"),
        (label({"Yes": 9, "YES": 9, "No": 9}), {}, "one word in two spellings, 'Yes' and 'YES'"),
        (label({"Y": 9, "y": 9, "N": 9}, "boolean"), {}, "one word in two spellings, 'Y' and 'y'"),
        (label({"<=50K": 9, "<=50K.": 9, ">50K": 9}), {}, "in two spellings, '<=50K' and '<=50K.'"),
        (label({"No\u2003": 9, "No": 9}), {}, r"in two spellings, 'No\\u2003' and 'No'"),
        (label({"new  york": 9, "New York": 9}), {}, "in two spellings, 'new  york' and 'New York'"),
        (label({"a": 9, "a.": 9}), {}, "in two spellings, 'a' and 'a.'"),
        (label({"a": 50, "b": 9}), {"positive": "c"}, "positive 'c' does not occur .* it has a, b"),
        (label({"a": 5, "b": 9, "c": 9}), {"positive": "c"}, "positive 'c' needs a label with 2"),
        (label({"a": 5, "b": 9, "c": 9}), {"task": "binary"}, r"'y' has 3 \(a, b, c\): give multiclass"),
        (label({"a": 5, "b": 9}), {"task": "multiclass"}, "3 or more values; 'y' has 2: give binary"),
        (label({"a": 5, "b": 9}), {"task": "regression"}, "has texts such as 'a'; give binary"),
        (label({"1": 50, "1.0": 50}, "whole"), {}, "one number in two spellings, '1' and '1.0'"),
        (label({"1": 50, "1.0": 50, "x": 9}), {}, "one number in two spellings, '1' and '1.0'"),
        (label({"1E1": 50, "10": 50}, "double"), {}, "one number in two spellings, '1E1' and '10'"),
        (
            label({f"{n}": 1 for n in range(11)}, rows=11, is_typed=True, example="1.5"),
            {},
            "such as '1.5': the file stores it as text; to predict a number, store numbers",
        ),
        (label({"x" * 41: 1, **MANY}, example="x" * 41), {}, f"such as '{'x' * 40}...': it looks like"),
        (label({"x" * 40: 1, **MANY}, example="x" * 40), {}, f"such as '{'x' * 40}': it looks like"),
        (label({"a": 5, "b": 9}), {"labels": ("a",)}, r"labels a lack 'b' \(9 rows"),
        (label({"a": 5, "b": 9}), {"labels": ("a", "b", "c")}, "labels name 'c', which does not occur"),
        (
            label(None, "double", rows=500, estimate=400),
            {"task": "regression", "positive": "1"},
            "label 'y' is a number",
        ),
    ],
)
def test_label_that_does_not_do_is_refused_on_one_line(facts, said, message):
    with pytest.raises(UserError, match=message) as error:
        choose_label(facts, given(**said))
    assert "\n" not in str(error.value)
