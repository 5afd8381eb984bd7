#if defined(__ARM_ARCH_6M__)
@ tk_plane_any of ../packed.h: a depthwise channel with a window of any size. The plain twin is in ../packed.c.
@
@ What it saves: 11 cycles for two taps one below the other, and the rescaling of plane.S; gcc has 30 and more.
@
@ Registers
@   r0 inputs    r1 weights    r2 end of a row of taps    r3 output    r4 - r6 words    r7 sum
@   r8 inputs of the next output    r9 pair_step    r10 end of the weights    r11 bytes of a row of taps
@   r12 stride    lr weights
@ On the stack, since words there take 2 cycles wherever they are needed:

.syntax unified
.cpu cortex-m0plus
.thumb
#include "rescale.inc"
#include "plane.inc"

.equ ROW_END, 0
.equ ROW_BYTES, 4
.equ ROWS, 8
.equ ROW_STEP, 12
.equ OUTPUT_STEP, 16
.equ BIAS, 20
.equ DROP, 24
.equ MULTIPLIER, 28
.equ OFFSET, 32
.equ RANGE, 36
.equ FRACTION, 40
.equ EDGE, 44
.equ LOW, 48
.equ PLANE, 52
.equ KEPT, 4 @ bytes of the registers that OUTSIDE keeps
.equ FRAME, 56

    ENTER tk_plane_any
    sub sp, #FRAME
    str r0, [sp, #PLANE]
    movs r1, r0
    adds r1, #36
    STORE_ROWS
    ldm r1!, {r2, r3, r4, r5, r6, r7}   @ drop, multiplier, offset, range, fraction, edge
    str r2, [sp, #DROP]
    str r3, [sp, #MULTIPLIER]
    str r4, [sp, #OFFSET]
    str r5, [sp, #RANGE]
    str r6, [sp, #FRACTION]
    str r7, [sp, #EDGE]
    ldr r2, [r1]
    str r2, [sp, #LOW]
    adds r1, #28
    ldm r1!, {r2, r3, r4, r5, r6}       @ weights, their end, bytes of a row of taps, pair_step, stride
    mov lr, r2
    mov r10, r3
    mov r11, r4
    mov r9, r5
    mov r12, r6
    ldr r3, [r0, #32]
    ldr r0, [r0]
    mov r8, r0
10: ldr r4, [sp, #ROW_BYTES]
    adds r4, r4, r3
    str r4, [sp, #ROW_END]
1:  mov r0, r8
    mov r1, lr
    ldr r7, [sp, #BIAS]
    mov r2, r11
    cmp r2, #4
    beq 11f
3:  mov r2, r11
    adds r2, r2, r0
4:  ldm r0!, {r4}
    ldm r1!, {r5}
    muls r4, r5
    asrs r4, r4, #16
    adcs r7, r4
    cmp r0, r2
    bne 4b
    add r0, r9
    cmp r1, r10
    bne 3b
5:  add r8, r12
    movs r6, r7
    ldr r4, [sp, #DROP]
    asrs r7, r4
    STORE_RESCALED
    ldr r4, [sp, #ROW_STEP]
    add r8, r4
    ldr r4, [sp, #ROWS]
    subs r4, #1
    str r4, [sp, #ROWS]
    bne 10b
    add sp, #FRAME
    LEAVE
    @ Windows of one column.
11: add r2, r9
12: ldr r4, [r0]
    ldm r1!, {r5}
    muls r4, r5
    asrs r4, r4, #16
    adcs r7, r4
    add r0, r2
    cmp r1, r10
    bne 12b
    b 5b
    OUTSIDE r3
#endif
