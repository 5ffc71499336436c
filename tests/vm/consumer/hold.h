/* SPDX-License-Identifier: GPL-2.0 */
/* What ccm_hold offers, and ccm_table calls too. */
#ifndef HOLD_H
#define HOLD_H

#define HOLD_MODULE 14
#define HOLD_FUNCTION 3
#define STALL_FUNCTION 4

#endif /* HOLD_H */
