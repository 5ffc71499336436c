// SPDX-License-Identifier: GPL-2.0
//
// A cluster's key: a file of 64 hexadecimal digits, and a key of type logon in
// the keyring of this process, where the kernel finds it.
#pragma once

#include <array>
#include <cstdint>
#include <string>

namespace ccmctl {

class Ccm;

// Bytes that are gone from memory when the object is.
class Secret {
public:
	static constexpr std::size_t kSize = 32;

	Secret() = default;
	~Secret();
	Secret(const Secret &) = delete;
	Secret &operator=(const Secret &) = delete;

	std::array<std::uint8_t, kSize> bytes{};
};

// Why the file is no key, or may not be used as one; "" if all is well.
std::string key_problem(const std::string &path);

// Throws Failure.
void read_key(const std::string &path, Secret &out);

// Writes a new one; never over a file that is there. Throws Failure.
void generate_key(const std::string &path);

// "ccm:demo"
std::string key_description(const std::string &cluster);

// A logon key in the keyring of this process while it is in scope. Throws
// Failure.
class KeyringEntry {
public:
	KeyringEntry(const std::string &description, const Secret &secret);
	~KeyringEntry();
	KeyringEntry(const KeyringEntry &) = delete;
	KeyringEntry &operator=(const KeyringEntry &) = delete;

private:
	std::int32_t serial_;
};

// Gives the node the key in a file. Throws Failure.
void set_key_file(Ccm &ccm, const std::string &cluster,
		  const std::string &path);

}
