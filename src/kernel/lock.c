// SPDX-License-Identifier: GPL-2.0
/*
 * Locks, reference counts and RCU.
 */
#include <linux/lockdep.h>
#include <linux/rcupdate.h>

#include "kernel.h"

/* spin_lock_init() in one place would make one lockdep class of all locks. */
static struct lock_class_key keys[CCM_LOCK_KINDS];

static const char *const names[CCM_LOCK_KINDS] = {
	[CCM_LOCK_ORIGINS] = "ccm_lock_origins",
	[CCM_LOCK_PEER] = "ccm_lock_peer",
	[CCM_LOCK_BOX] = "ccm_lock_box",
	[CCM_LOCK_READY] = "ccm_lock_ready",
	[CCM_LOCK_REMOVALS] = "ccm_lock_removals",
	[CCM_LOCK_HANDLERS] = "ccm_lock_handlers",
	[CCM_LOCK_CALLS] = "ccm_lock_calls",
	[CCM_LOCK_POOL] = "ccm_lock_pool",
};

static struct lock_class_key mutex_keys[CCM_MUTEX_KINDS];

static const char *const mutex_names[CCM_MUTEX_KINDS] = {
	[CCM_MUTEX_NODE] = "ccm_mutex_node",
	[CCM_MUTEX_NEWS] = "ccm_mutex_news",
};

void ccm_lock_init(struct ccm_lock *lock, enum ccm_lock_kind kind)
{
	spin_lock_init(&lock->lock);
	lockdep_set_class_and_name(&lock->lock, &keys[kind], names[kind]);
}

unsigned long ccm_lock_take(struct ccm_lock *lock)
	__acquires(&lock->lock)
{
	unsigned long flags;

	spin_lock_irqsave(&lock->lock, flags);
	return flags;
}

void ccm_lock_drop(struct ccm_lock *lock, unsigned long flags)
	__releases(&lock->lock)
{
	spin_unlock_irqrestore(&lock->lock, flags);
}

#ifdef CCM_KUNIT
void ccm_lock_assert_held(const struct ccm_lock *lock)
{
	lockdep_assert_held(&lock->lock);
}
#endif

void ccm_mutex_init(struct ccm_mutex *mutex, enum ccm_mutex_kind kind)
{
	mutex_init(&mutex->mutex);
	lockdep_set_class_and_name(&mutex->mutex, &mutex_keys[kind],
				   mutex_names[kind]);
}

void ccm_mutex_take(struct ccm_mutex *mutex)
{
	might_sleep();
	mutex_lock(&mutex->mutex);
}

void ccm_mutex_drop(struct ccm_mutex *mutex)
{
	mutex_unlock(&mutex->mutex);
}

void ccm_ref_init(struct ccm_ref *ref)
{
	refcount_set(&ref->count, 1);
}

void ccm_ref_get(struct ccm_ref *ref)
{
	refcount_inc(&ref->count);
}

bool ccm_ref_get_live(struct ccm_ref *ref)
{
	return refcount_inc_not_zero(&ref->count);
}

bool ccm_ref_put(struct ccm_ref *ref)
{
	return refcount_dec_and_test(&ref->count);
}

void ccm_rcu_enter(void)
	__acquires(RCU)
{
	rcu_read_lock();
}

void ccm_rcu_leave(void)
	__releases(RCU)
{
	rcu_read_unlock();
}

void ccm_rcu_wait(void)
{
	might_sleep();
	synchronize_rcu();
}
