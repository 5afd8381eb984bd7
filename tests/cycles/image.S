/* Where every call of the image returns to: the emulator stops at a breakpoint. */
.syntax unified
.cpu cortex-m0plus
.thumb
.text
.global image_return
.thumb_func
image_return:
    bkpt #0
    b image_return
