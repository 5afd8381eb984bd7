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
.include "rescale.inc"

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
.equ FRAME, 56

    ENTER tk_plane_any
    sub sp, #FRAME
    str r0, [sp, #PLANE]
    movs r1, r0
    adds r1, #36
    ldm r1!, {r2, r3, r4, r5, r6}       @ columns, rows, row_step, output_step, bias
    muls r2, r5
    str r2, [sp, #ROW_BYTES]
    str r3, [sp, #ROWS]
    str r4, [sp, #ROW_STEP]
    str r5, [sp, #OUTPUT_STEP]
    str r6, [sp, #BIAS]
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
    ldr r4, [sp, #MULTIPLIER]
    muls r7, r4
    ldr r4, [sp, #OFFSET]
    adds r7, r7, r4
    bmi 6f
    ldr r4, [sp, #RANGE]
    cmp r7, r4
    bhs 7f
    ldr r4, [sp, #FRACTION]
    rors r7, r4
    ldr r4, [sp, #EDGE]
    cmp r7, r4
    blo 8f
    ldr r4, [sp, #LOW]
    adds r7, r7, r4
2:  strb r7, [r3]
    ldr r4, [sp, #OUTPUT_STEP]
    adds r3, r3, r4
    ldr r4, [sp, #ROW_END]
    cmp r3, r4
    bne 1b
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
6:  ldr r7, [sp, #LOW]
    b 2b
7:  ldr r7, [sp, #PLANE]
    adds r7, #84
    ldr r7, [r7]
    b 2b
8:  push {r3}
    ldr r1, [sp, #PLANE + 4]
    adds r1, #92
    EXACT r6
    ldr r1, [sp, #PLANE + 4]
    adds r1, #80
    ldm r1!, {r2, r3, r4}               @ low, high, zero point
    adds r5, r5, r4
    cmp r5, r2
    bge 9f
    movs r5, r2
9:  cmp r5, r3
    ble 9f
    movs r5, r3
9:  movs r7, r5
    pop {r3}
    b 2b
