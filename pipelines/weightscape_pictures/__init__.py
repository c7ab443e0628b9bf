# SPDX-License-Identifier: BSD-3-Clause
"""Parts that the pipeline scripts share: one module per noun, one figure class per picture."""
