// SPDX-License-Identifier: GPL-2.0
#include "core/handlers.hpp"

namespace ccm {

Handlers::~Handlers()
{
	while (Handler *handler = handlers_.pop_front())
		destroy(handler);
}

Status Handlers::add(Handler *handler)
{
	Guard guard(lock_);

	if (find_locked(handler->function))
		return fail(EEXIST);
	handlers_.push_back(handler);
	return {};
}

Status Handlers::remove(u32 function)
{
	Handler *handler;
	{
		Guard guard(lock_);

		handler = find_locked(function);
		if (!handler)
			return fail(ENOENT);
		if (handler == mine_locked())
			return fail(EDEADLK);
		handlers_.remove(handler);
	}
	drain(*handler);
	destroy(handler);
	return {};
}

bool Handlers::run_here()
{
	Guard guard(lock_);

	return mine_locked() != nullptr;
}

void Handlers::remove_all()
{
	for (;;) {
		Handler *handler;
		{
			Guard guard(lock_);

			handler = handlers_.pop_front();
		}
		if (!handler)
			break;
		drain(*handler);
		destroy(handler);
	}
	// Those that another thread removes at this time are in no list.
	(void)left_.wait_idle(
		[this] {
			Guard guard(lock_);
			return running_.empty();
		},
		CCM_FOREVER);
}

// A thread runs one at a time.
Handler *Handlers::mine_locked()
{
	ccm_thread *mine = ccm_thread_mine();

	for (Running *r = running_.front(); r; r = running_.next(r))
		if (r->thread && r->thread == mine)
			return r->handler;
	return nullptr;
}

// Whoever runs it is sent home from wherever it waits inside CCM.
void Handlers::drain(Handler &handler)
{
	{
		Guard guard(lock_);

		for (Running *r = running_.front(); r; r = running_.next(r))
			if (r->handler == &handler && r->thread)
				ccm_thread_interrupt(r->thread);
	}
	(void)left_.wait_idle(
		[&] {
			Guard guard(lock_);
			return handler.running == 0;
		},
		CCM_FOREVER);
}

Result<ccm_handler_kind> Handlers::kind(u32 function)
{
	Guard guard(lock_);
	Handler *handler = find_locked(function);

	if (!handler)
		return fail(ENOENT);
	return handler->kind;
}

Status Handlers::enter(Running &running)
{
	Guard guard(lock_);
	Handler *handler = find_locked(running.message.key.type);

	if (!handler)
		return fail(ENOENT);
	running.handler = handler;
	running.thread = running.on_thread ? ccm_thread_mine() : nullptr;
	handler->running++;
	running_.push_back(&running);
	return {};
}

void Handlers::leave(Running &running)
{
	Guard guard(lock_);

	running_.remove(&running);
	if (running.thread)
		ccm_thread_resume(running.thread);
	if (--running.handler->running == 0)
		left_.wake();
}

Handler *Handlers::find_locked(u32 function)
{
	for (Handler *h = handlers_.front(); h; h = handlers_.next(h))
		if (h->function == function)
			return h;
	return nullptr;
}

bool Handlers::report(u32 &nth, ccm_handler_info &out)
{
	Guard guard(lock_);

	for (Handler *h = handlers_.front(); h; h = handlers_.next(h)) {
		if (nth-- > 0)
			continue;
		out.function = h->function;
		out.kind = h->kind;
		out.running = h->running;
		return true;
	}
	return false;
}

bool Handlers::report_running(u32 &nth, ccm_call_info &out)
{
	Guard guard(lock_);

	for (Running *r = running_.front(); r; r = running_.next(r)) {
		if (nth-- > 0)
			continue;
		out = describe(r->message, r->on_thread ? CCM_CALL_WHAT_LONG
							: CCM_CALL_WHAT_SHORT);
		return true;
	}
	return false;
}

} // namespace ccm
