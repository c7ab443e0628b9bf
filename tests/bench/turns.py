# SPDX-License-Identifier: BSD-3-Clause
"""Two ways to do the same, in turns: A B A B ... A, so that each B is compared with the two A around it.

On a machine that is shared a run that others have disturbed is done again, whichever of the two it is; one that is
disturbed at each try is taken as it is, and counted.
"""
from machine import Watch, wait_for_quiet

MOST_OF_OTHERS = 0.05  # cores
TRIES = 12
PATIENCE = 300  # seconds before a try


class Turns:
    """What runs without and runs between them have returned, and what others did meanwhile."""

    def __init__(self, pairs, without, between):
        self.without, self.between, self.others, self.repeated = [], [], [], 0
        for number in range(2 * pairs + 1):
            if number % 2:
                self.between.append(self._undisturbed(between))
            else:
                self.without.append(self._undisturbed(without))

    def _undisturbed(self, measure):
        for tries_left in reversed(range(TRIES)):
            wait_for_quiet(MOST_OF_OTHERS, PATIENCE)
            watch = Watch()
            result = measure()
            others = watch.cores_of_others()
            if others <= MOST_OF_OTHERS or not tries_left:
                break
            self.repeated += 1
        self.others.append(others)
        return result

    def tell(self):
        disturbed = sum(others > MOST_OF_OTHERS for others in self.others)
        print(f"  (of {len(self.others)} runs {disturbed} were disturbed by others; {self.repeated} were done again)")
        return {"cores_of_others": self.others, "disturbed": disturbed, "repeated": self.repeated}
