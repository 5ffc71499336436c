// SPDX-License-Identifier: GPL-2.0
// The kernel's names for integers, which the shared headers use.
#pragma once

#include <stddef.h>
#include <stdint.h>

using u8 = uint8_t;
using u16 = uint16_t;
using u32 = uint32_t;
using u64 = uint64_t;
