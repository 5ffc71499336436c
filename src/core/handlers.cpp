// SPDX-License-Identifier: GPL-2.0
#include "core/handlers.hpp"

#include "core/mailbox.hpp"

namespace ccm {

Handlers::~Handlers()
{
	while (Handler *handler = handlers_.pop_front())
		destroy(handler);
}

Status Handlers::add(Handler *handler)
{
	Guard guard(lock_);

	if (handlers_.find(handler->function))
		return fail(EEXIST);
	handlers_.add(handler);
	return {};
}

Status Handlers::remove(u32 function)
{
	Handler *handler;
	{
		Guard guard(lock_);

		handler = handlers_.find(function);
		if (!handler)
			return fail(ENOENT);
		handlers_.remove(handler);
	}
	drain([=](const Running &r) { return r.handler == handler; });
	destroy(handler);
	return {};
}

// A thread runs one at a time.
Handler *Handlers::run_locked(const ccm_thread *thread)
{
	for (Running *r = running_.front(); r; r = running_.next(r))
		if (r->thread && r->thread == thread)
			return r->handler;
	return nullptr;
}

bool Handlers::runs(const ccm_thread *thread)
{
	Guard guard(lock_);

	return run_locked(thread) != nullptr;
}

bool Handlers::runs(const ccm_thread *thread, u32 function)
{
	Guard guard(lock_);
	Handler *handler = run_locked(thread);

	return handler && handler->function == function;
}

void Handlers::remove_all()
{
	Tree<Handler> removed;
	{
		Guard guard(lock_);

		removed.take(handlers_);
	}
	drain([](const Running &) { return true; });
	while (Handler *handler = removed.pop_front())
		destroy(handler);
}

// Whoever runs one of them is sent home from wherever it waits inside CCM.
template <class Which> void Handlers::drain(Which which)
{
	auto ended = [&] {
		Guard guard(lock_);

		for (Running *r = running_.front(); r; r = running_.next(r))
			if (which(*r))
				return false;
		return true;
	};
	{
		Guard guard(lock_);

		for (Running *r = running_.front(); r; r = running_.next(r))
			if (r->thread && which(*r))
				ccm_thread_interrupt(r->thread);
	}
	if (left_.wait_idle(ended, kNamedAfterMs) == 0)
		return;
	for (u32 nth = 0; name(nth, which); nth++)
		;
	(void)left_.wait_idle(ended, CCM_FOREVER);
}

// The nth of those that still run; false if there are fewer.
template <class Which> bool Handlers::name(u32 nth, Which which)
{
	RcuGuard while_the_name_is_read;
	const char *owner = ccm_module_name(mailbox_.owner());
	ccm_call_info call{};
	bool found = false;
	{
		Guard guard(lock_);

		for (Running *r = running_.front(); r && !found;
		     r = running_.next(r)) {
			if (!which(*r) || nth-- > 0)
				continue;
			call = describe(r->message, CCM_CALL_WHAT_LONG);
			found = true;
		}
	}
	if (found)
		ccm_warn("function %u of module number %u (%s), called by node "
			 "%u %llu ms ago, does not end and is waited for",
			 call.function, call.module, owner, call.node,
			 static_cast<unsigned long long>(call.age_ms));
	return found;
}

Result<ccm_handler_kind> Handlers::kind(u32 function)
{
	Guard guard(lock_);
	Handler *handler = handlers_.find(function);

	if (!handler)
		return fail(ENOENT);
	return handler->kind;
}

Status Handlers::enter(Running &running)
{
	Guard guard(lock_);
	Handler *handler = handlers_.find(running.message.key.type);

	if (!handler)
		return fail(ENOENT);
	running.handler = handler;
	running.thread = running.on_thread ? ccm_thread_mine() : nullptr;
	handler->running++;
	running.number = ++last_number_;
	running_.push_back(&running);
	return {};
}

void Handlers::leave(Running &running)
{
	Guard guard(lock_);

	running_.remove(&running);
	if (running.thread)
		ccm_thread_resume(running.thread);
	running.handler->running--;
	left_.wake();
}

bool Handlers::report(ccm_cursor &at, ccm_handler_info &out)
{
	Guard guard(lock_);
	Handler *h = handlers_.from(at.number);

	if (!h)
		return false;
	at.number = h->order() + 1;
	out.function = h->function;
	out.kind = h->kind;
	out.running = h->running;
	return true;
}

bool Handlers::report_running(ccm_cursor &at, ccm_call_info &out)
{
	Guard guard(lock_);

	if (at.number == 0)
		at.last = last_number_;
	for (Running *r = running_.front(); r; r = running_.next(r)) {
		if (r->number < at.number || r->number > at.last)
			continue;
		at.number = r->number + 1;
		out = describe(r->message, r->on_thread ? CCM_CALL_WHAT_LONG
							: CCM_CALL_WHAT_SHORT);
		return true;
	}
	return false;
}

} // namespace ccm
