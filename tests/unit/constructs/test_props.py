from collections.abc import Callable

import aws_cdk as cdk
import pytest

from sagemaker_tgi.props import InvalidPropsError, PropsCheck


def message(stack: cdk.Stack, check_props: Callable[[PropsCheck], None]) -> list[str]:
    """The lines of the error that a check ends with."""

    def define() -> None:
        with PropsCheck(stack, "Thing") as check:
            check_props(check)

    with pytest.raises(InvalidPropsError) as error:
        define()
    return str(error.value).splitlines()


def test_all_problems_come_in_one_error_that_names_construct_prop_value_and_fix(stack: cdk.Stack) -> None:
    def check_both(check: PropsCheck) -> None:
        check.between("count", 0, 1, 5)
        check.matches("name", "a b", "[a-z]+", "use letters")

    assert message(stack, check_both) == [
        "Test/Thing: 2 problems with its props",
        "  count=0: is out of range; use from 1 to 5",
        "  name='a b': does not match [a-z]+; use letters",
    ]


def test_nothing_is_raised_when_nothing_is_wrong(stack: cdk.Stack) -> None:
    with PropsCheck(stack, "Thing") as check:
        check.between("count", 5, 1, 5)
        check.matches("name", "ab", "[a-z]+", "use letters")
        check.seconds_between("pause", cdk.Duration.minutes(1), 60, 60)


def test_values_that_are_known_at_deployment_only_pass_every_check(stack: cdk.Stack) -> None:
    parameter = cdk.CfnParameter(stack, "Parameter", type="Number")
    with PropsCheck(stack, "Thing") as check:
        check.between("count", parameter.value_as_number, 1, 5)
        check.matches("name", parameter.value_as_string, "[a-z]+", "use letters")
        check.seconds_between("pause", cdk.Duration.seconds(parameter.value_as_number), 1, 5)


def test_a_range_can_have_no_upper_limit(stack: cdk.Stack) -> None:
    found = message(stack, lambda check: check.between("count", 0, 1))
    assert found[1:] == ["  count=0: is out of range; use 1 or more"]


def test_a_duration_is_checked_in_seconds(stack: cdk.Stack) -> None:
    found = message(stack, lambda check: check.seconds_between("pause", cdk.Duration.hours(2), 60, 3600))
    assert found[1:] == ["  pause (seconds)=7200: is out of range; use from 60 to 3600"]


def test_the_length_of_a_too_long_text_is_named(stack: cdk.Stack) -> None:
    with PropsCheck(stack, "Thing") as check:
        check.no_longer_than("text", "abc", 3)
    found = message(stack, lambda check: check.no_longer_than("text", "abcd", 3))
    assert found[1:] == ["  text='abcd': has 4 characters; use 3 or fewer"]


def test_problems_of_parts_come_with_those_of_the_whole(stack: cdk.Stack) -> None:
    def check_whole_and_parts(check: PropsCheck) -> None:
        check.between("count", 0, 1)
        for part in ("Thing/One", "Thing/Two"):
            with PropsCheck(stack, part) as of_part:
                of_part.between("size", 0, 1)

    assert [line for line in message(stack, check_whole_and_parts) if line.startswith("Test/")] == [
        "Test/Thing: 1 problem with its props",
        "Test/Thing/One: 1 problem with its props",
        "Test/Thing/Two: 1 problem with its props",
    ]


def test_an_error_that_a_wrong_prop_leads_to_does_not_hide_the_problem(stack: cdk.Stack) -> None:
    def check_and_fail(check: PropsCheck) -> None:
        check.between("count", 0, 1)
        raise ZeroDivisionError

    assert message(stack, check_and_fail)[1:] == ["  count=0: is out of range; use 1 or more"]


def test_an_error_without_a_wrong_prop_is_raised_as_it_is(stack: cdk.Stack) -> None:
    with pytest.raises(ZeroDivisionError), PropsCheck(stack, "Thing"):
        raise ZeroDivisionError
