#if defined(__ARM_ARCH_6M__)
@ tk_plane_3x3_stride_1, tk_plane_3x3_stride_2 and tk_gather_plane of ../packed.h; the plain twins are in ../packed.c.
@
@ What the planes save: nine products in six multiplies, rescaled, clamped and stored in 67 cycles; gcc has about 190. The
@ third row of taps is multiplied in the upper lane only, where the product's lower half is 0: no carry to add, and two of
@ these fit 16 bits together.
@
@ Registers
@   r0 first two rows of inputs    r1 third row    r3 output    r2, r4 - r6 words    r7 sum
@   r8 - r12, lr the six words of weights
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
.equ MULTIPLIER, 24
.equ OFFSET, 28
.equ RANGE, 32
.equ FRACTION, 36
.equ EDGE, 40
.equ LOW, 44
.equ PLANE, 48
.equ KEPT, 12 @ bytes of the registers that OUTSIDE keeps
.equ FRAME, 52

.macro PLANE_3X3 stride
    ENTER tk_plane_3x3_stride_\stride
    sub sp, #FRAME
    str r0, [sp, #PLANE]
    movs r1, r0
    adds r1, #36
    STORE_ROWS
    adds r1, #4
    ldm r1!, {r2, r3, r4, r5, r6}   @ multiplier, offset, range, fraction, edge
    str r2, [sp, #MULTIPLIER]
    str r3, [sp, #OFFSET]
    str r4, [sp, #RANGE]
    str r5, [sp, #FRACTION]
    str r6, [sp, #EDGE]
    ldr r2, [r1]
    str r2, [sp, #LOW]
    movs r1, r0
    adds r1, #8
    ldm r1!, {r2, r3, r4, r5, r6, r7}
    mov r8, r2
    mov r9, r3
    mov r10, r4
    mov r11, r5
    mov r12, r6
    mov lr, r7
    ldr r3, [r1]
    ldr r1, [r0, #4]
    ldr r0, [r0]
10: ldr r4, [sp, #ROW_BYTES]
    adds r4, r4, r3
    str r4, [sp, #ROW_END]
1:  ldm r0!, {r4, r5, r6}
    subs r0, #12 - 4 * \stride
    mov r7, r8
    muls r4, r7
    mov r7, r9
    muls r5, r7
    mov r7, r10
    muls r6, r7
    ldr r7, [sp, #BIAS]
    asrs r4, r4, #16
    adcs r7, r4
    asrs r5, r5, #16
    adcs r7, r5
    asrs r6, r6, #16
    adcs r7, r6
    ldm r1!, {r4, r5, r6}
    subs r1, #12 - 4 * \stride
    mov r2, r11
    muls r4, r2
    mov r2, r12
    muls r5, r2
    mov r2, lr
    muls r6, r2
    adds r4, r4, r5
    asrs r4, r4, #16
    adds r7, r7, r4
    asrs r6, r6, #16
    adds r7, r7, r6
    movs r6, r7
    STORE_RESCALED
    ldr r4, [sp, #ROW_STEP]
    adds r0, r0, r4
    adds r1, r1, r4
    ldr r4, [sp, #ROWS]
    subs r4, #1
    str r4, [sp, #ROWS]
    bne 10b
    add sp, #FRAME
    LEAVE
    OUTSIDE r0, r1, r3
.endm

PLANE_3X3 1
PLANE_3X3 2

@ Registers
@   r0 to    r1 from    r2 step    r3 below    r4 0    r5 - r7 words
@   r8 bytes of pairs of words in a row    r9 1 for one word more    r10 rows    r11 to_step    lr from_step    r12 end
    ENTER tk_gather_plane
    movs r7, r0
    adds r7, #16
    ldm r0, {r0, r1, r2, r3}
    ldm r7!, {r4, r5, r6}
    mov r10, r5
    mov r11, r6
    ldr r5, [r7]
    mov lr, r5
    movs r5, #1
    ands r5, r4
    mov r9, r5
    subs r4, r4, r5
    lsls r4, r4, #2
    mov r8, r4
    movs r4, #0
10: mov r5, r8
    adds r5, r5, r0
    mov r12, r5
    cmp r0, r12
    beq 2f
1:  ldrsb r5, [r1, r4]
    ldrsb r6, [r1, r3]
    lsls r6, r6, #16
    adds r5, r5, r6
    adds r1, r1, r2
    ldrsb r6, [r1, r4]
    ldrsb r7, [r1, r3]
    lsls r7, r7, #16
    adds r6, r6, r7
    adds r1, r1, r2
    stm r0!, {r5, r6}
    cmp r0, r12
    bne 1b
2:  mov r5, r9
    cmp r5, #0
    beq 3f
    ldrsb r5, [r1, r4]
    ldrsb r6, [r1, r3]
    lsls r6, r6, #16
    adds r5, r5, r6
    adds r1, r1, r2
    stm r0!, {r5}
3:  add r0, r11
    add r1, lr
    mov r5, r10
    subs r5, #1
    mov r10, r5
    bne 10b
    LEAVE
#endif
