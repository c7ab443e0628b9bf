# SPDX-License-Identifier: BSD-3-Clause
"""What is made of measured values: medians, their spread, and tables."""
import statistics


def spread(values):
    """Median, quartiles, lowest and highest of at least one value."""
    ordered = sorted(values)
    quarters = statistics.quantiles(ordered, n=4, method="inclusive") if len(ordered) > 1 else ordered * 3
    return {"median": statistics.median(ordered), "quartiles": [quarters[0], quarters[2]],
            "lowest": ordered[0], "highest": ordered[-1], "values": values}


def around(without):
    """The mean of each two neighbours, which is what a value between them is compared with."""
    return [(before + after) / 2 for before, after in zip(without, without[1:])]


def costs(without, between):
    """What the values between are above those around them, as shares: `without` has one value more."""
    return [middle / usual - 1 for middle, usual in zip(between, around(without))]


def drift(without):
    """The change from each value to the next, as shares: what `costs` would show if nothing had been done."""
    return [after / before - 1 for before, after in zip(without, without[1:])]


def scaled(found, factor):
    """A spread in another unit."""
    return spread([factor * value for value in found["values"]])


def _cells(values):
    return "".join(f"{value:>16}" for value in values)


def print_table(title, columns, rows):
    """Rows are (name, values, form of a value)."""
    print(f"\n{title}")
    print(f"  {'':36}{_cells(columns)}")
    for name, values, form in rows:
        print(f"  {name:36}{_cells(form.format(value) for value in values)}")


def print_spreads(title, rows):
    """Rows are (name, spread, form of a value)."""
    print_table(title, ("median", "quarter", "three quarters", "lowest", "highest"),
                [(name, (found["median"], *found["quartiles"], found["lowest"], found["highest"]), form)
                 for name, found, form in rows])
