/* SPDX-License-Identifier: GPL-2.0 */
#ifndef CCM_TASK_H
#define CCM_TASK_H

int ccm_task_begin(void);
void ccm_task_end(void);

#endif /* CCM_TASK_H */
