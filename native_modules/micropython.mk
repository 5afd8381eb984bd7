# The module `tinympy_native` in firmware that is built with make: USER_C_MODULES=<the folder above this one>.
# docs/native-modules.md
TINYMPY_NATIVE := $(USERMOD_DIR)

SRC_USERMOD_C += $(TINYMPY_NATIVE)/micropython/usermodule.c
SRC_USERMOD_LIB_C += $(wildcard $(TINYMPY_NATIVE)/kernels/*.c)
# Each is empty for any architecture but its own; the computer's has none.
ifneq ($(CROSS_COMPILE),)
SRC_USERMOD_LIB_ASM += $(wildcard $(TINYMPY_NATIVE)/kernels/*/*.S)
endif

# Firmware is made small, kernels fast.
$(BUILD)/$(notdir $(TINYMPY_NATIVE))/kernels/%.o: CFLAGS += -O2
