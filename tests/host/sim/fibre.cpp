// SPDX-License-Identifier: GPL-2.0
#include "sim/fibre.hpp"

#include "sim/world.hpp"

#include <sys/mman.h>

#include <vector>

#ifdef __SANITIZE_ADDRESS__
#include <sanitizer/common_interface_defs.h>
#endif
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif

// void ccm_sim_switch(void **from, void *to): keep what a function has to keep, on
// the stack whose top goes to *from, and go on with what to says.
#if defined(__x86_64__)
asm(R"(
	.text
ccm_sim_switch:
	pushq %rbp
	pushq %rbx
	pushq %r12
	pushq %r13
	pushq %r14
	pushq %r15
	movq %rsp, (%rdi)
	movq %rsi, %rsp
	popq %r15
	popq %r14
	popq %r13
	popq %r12
	popq %rbx
	popq %rbp
	ret
)");
#elif defined(__aarch64__)
asm(R"(
	.text
ccm_sim_switch:
	sub sp, sp, #160
	stp x29, x30, [sp]
	stp x19, x20, [sp, #16]
	stp x21, x22, [sp, #32]
	stp x23, x24, [sp, #48]
	stp x25, x26, [sp, #64]
	stp x27, x28, [sp, #80]
	stp d8, d9, [sp, #96]
	stp d10, d11, [sp, #112]
	stp d12, d13, [sp, #128]
	stp d14, d15, [sp, #144]
	mov x2, sp
	str x2, [x0]
	mov sp, x1
	ldp x29, x30, [sp]
	ldp x19, x20, [sp, #16]
	ldp x21, x22, [sp, #32]
	ldp x23, x24, [sp, #48]
	ldp x25, x26, [sp, #64]
	ldp x27, x28, [sp, #80]
	ldp d8, d9, [sp, #96]
	ldp d10, d11, [sp, #112]
	ldp d12, d13, [sp, #128]
	ldp d14, d15, [sp, #144]
	add sp, sp, #160
	ret
)");
#else
#error "write ccm_sim_switch() for this processor"
#endif

extern "C" void ccm_sim_switch(void **from, void *to);

namespace ccm_sim {

constexpr size_t kStack = 64 << 10;
constexpr size_t kGuard = 4096;

// Used by one fibre after the other: what the address sanitizer has for each takes
// long to make.
struct Fibre::Stack {
	char *memory = nullptr; // with a page in front that nobody may touch
	void *place = nullptr;	// its top, with what it needs to go on
	const void *bottom = nullptr;
	size_t size = 0;
	void *fake = nullptr;  // the address sanitizer's
	Stack *from = nullptr; // what has been left for it
};

namespace {

// As long as the program.
std::vector<void *> &spare = *new std::vector<void *>;

} // namespace

// As if it had been left at the begin of a function.
static void *place_at(char *end, void (*function)())
{
	auto **top = reinterpret_cast<void **>(end);
	auto *first = reinterpret_cast<void *>(function);

#if defined(__x86_64__)
	*--top = nullptr; // it has no caller
	*--top = first;
	for (int kept = 0; kept < 6; kept++)
		*--top = nullptr;
#else
	for (int kept = 0; kept < 18; kept++)
		*--top = nullptr;
	*--top = first;
	*--top = nullptr;
#endif
	return top;
}

Fibre::Stack *Fibre::take_stack()
{
	if (!spare.empty()) {
		auto *stack = static_cast<Stack *>(spare.back());

		spare.pop_back();
		return stack;
	}
	void *made = mmap(nullptr, kStack + kGuard, PROT_READ | PROT_WRITE,
			  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (made == MAP_FAILED || mprotect(made, kGuard, PROT_NONE) != 0)
		host::die("no memory for a stack");
	auto *memory = static_cast<char *>(made);
	return new Stack{.memory = memory,
			 .place = place_at(memory + kGuard + kStack, begin),
			 .bottom = memory + kGuard,
			 .size = kStack};
}

Fibre::Fibre() : id(0), stack_(new Stack)
{
#ifdef __SANITIZE_THREAD__
	tsan_ = __tsan_get_current_fiber();
#endif
}

Fibre::Fibre(u32 id_, void (*run)(void *arg), void *arg)
	: id(id_), run_(run), arg_(arg), stack_(take_stack())
{
#ifdef __SANITIZE_THREAD__
	tsan_ = __tsan_create_fiber(0);
	__tsan_release(this); // as starting a thread does
#endif
}

// The thread sanitizer knows of no fibre that goes on where another was.
Fibre::~Fibre()
{
	self->put();
	if (!stack_->memory) {
		delete stack_;
		return;
	}
#ifdef __SANITIZE_THREAD__
	__tsan_destroy_fiber(tsan_);
	munmap(stack_->memory, kStack + kGuard);
	delete stack_;
#else
	spare.push_back(stack_);
#endif
}

// One fibre after the other.
void Fibre::begin()
{
	{
		Outside outside;
		World::the().current().arrive();
	}
	for (;;) {
		Fibre &self = World::the().current();

		World::the().begin();
#ifdef __SANITIZE_THREAD__
		__tsan_acquire(&self);
#endif
		self.run_(self.arg_);
		World::the().end();
	}
}

// The first thing after a change; the stack that was left is learned of here.
void Fibre::arrive() const
{
#ifdef __SANITIZE_ADDRESS__
	Stack &left = *stack_->from;

	__sanitizer_finish_switch_fiber(stack_->fake, &left.bottom, &left.size);
#endif
}

void Fibre::go_on(Fibre &from)
{
	Stack *left = from.stack_; // who has left it may be gone

	stack_->from = left;
#ifdef __SANITIZE_ADDRESS__
	__sanitizer_start_switch_fiber(&left->fake, stack_->bottom,
				       stack_->size);
#endif
#ifdef __SANITIZE_THREAD__
	void *tsan = tsan_;
	if (from.ended)
		Outside::leave_for_good();
	__tsan_switch_to_fiber(tsan, __tsan_switch_to_fiber_no_sync);
#endif
	ccm_sim_switch(&left->place, stack_->place);
	World::the().current().arrive();
}

// --- who waits -------------------------------------------------------------------

void Waiters::add(Fibre &fibre)
{
	fibre.waits_at = this;
	fibre.next = first_;
	first_ = &fibre;
}

void Waiters::remove(Fibre &fibre)
{
	Fibre **at = &first_;

	while (*at != &fibre)
		at = &(*at)->next;
	*at = fibre.next;
	fibre.waits_at = nullptr;
	fibre.next = nullptr;
}

} // namespace ccm_sim
