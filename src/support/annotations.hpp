// SPDX-License-Identifier: GPL-2.0
// What clang checks of the rules of locks, on the host: which lock protects what, and
// who calls what with a lock held. Other compilers see nothing of it.
#pragma once

#if defined(__clang__)
#define CCM_SAFETY(attribute) __attribute__((attribute))
#else
#define CCM_SAFETY(attribute)
#endif

// Of a class: a lock; who holds one while in scope.
#define CAPABILITY(name) CCM_SAFETY(capability(name))
#define SCOPED_CAPABILITY CCM_SAFETY(scoped_lockable)
// Of a member: looked at and changed with this lock held.
#define GUARDED_BY(lock) CCM_SAFETY(guarded_by(lock))
// Of a function: it is called with this lock held; it takes it; it drops it.
#define REQUIRES(...) CCM_SAFETY(requires_capability(__VA_ARGS__))
#define ACQUIRE(...) CCM_SAFETY(acquire_capability(__VA_ARGS__))
#define RELEASE(...) CCM_SAFETY(release_capability(__VA_ARGS__))
// Of a function: behind it the lock is known to be held.
#define ASSERT_CAPABILITY(lock) CCM_SAFETY(assert_capability(lock))
// Of a function: it knows why it need not hold the lock, and says so in a comment.
#define NO_THREAD_SAFETY_ANALYSIS CCM_SAFETY(no_thread_safety_analysis)
