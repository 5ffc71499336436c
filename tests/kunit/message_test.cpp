// SPDX-License-Identifier: GPL-2.0
#include "core/message.hpp"

#include "memory.hpp"
#include "test.hpp"

using namespace ccm;
using namespace ccm_testing;

CCM_TEST(message, make__has_what_it_was_given)
{
	Message *message = Message::make(7, {.node = 2, .type = 3, .seqn = 4},
					 100, MaySleep::Yes);

	REQUIRE(message != nullptr);
	EXPECT_EQ(7, message->module);
	EXPECT_EQ(2, message->key.node);
	EXPECT_EQ(3, message->key.type);
	EXPECT_EQ(4, message->key.seqn);
	EXPECT_EQ(100, message->size);
	EXPECT_EQ(charge_of(100), message->charge());
	EXPECT(!message->linked());
	EXPECT(message->peer == nullptr);
	Message::drop(message);
}

CCM_TEST(message, make__payload_has_its_size)
{
	static const u32 kSizes[] = {0,	   1,	  128,	 129,	 8064,
				     8065, 65408, 65409, 100000, 1u << 20};

	for (u32 size : kSizes) {
		Message *message = Message::make(1, {}, size, MaySleep::Yes);

		REQUIRE(message != nullptr);
		__builtin_memset(message->payload(), 0x5a, size);
		EXPECT_EQ(size, message->size);
		Message::drop(message);
	}
}

CCM_TEST(message, make__without_memory)
{
	OutOfMemory now;

	EXPECT(Message::make(1, {}, 10, MaySleep::Yes) == nullptr);
}

CCM_TEST(message, make__without_sleeping)
{
	Message *message = Message::make(1, {}, 4096, MaySleep::No);

	REQUIRE(message != nullptr);
	Message::drop(message);
}

CCM_TEST(message, of_payload__finds_it_again)
{
	Message *message = Message::make(1, {}, 10, MaySleep::Yes);

	REQUIRE(message != nullptr);
	EXPECT(Message::of_payload(message->payload()) == message);
	Message::drop(message);
}

CCM_TEST(message, drop__frees_all_of_it)
{
	long before = ccm_memory_live();
	Message *message = Message::make(1, {}, 100000, MaySleep::Yes);

	REQUIRE(message != nullptr);
	EXPECT(ccm_memory_live() - before >= 100000);
	Message::drop(message);
	EXPECT_EQ(before, ccm_memory_live());
	Message::drop(nullptr);
}

CCM_TEST(message, uncharge__of_one_that_is_not_charged)
{
	Message *message = Message::make(1, {}, 10, MaySleep::Yes);

	REQUIRE(message != nullptr);
	uncharge(*message);
	EXPECT(message->peer == nullptr);
	Message::drop(message);
}
