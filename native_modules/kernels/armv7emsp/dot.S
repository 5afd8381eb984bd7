#if defined(__ARM_FEATURE_DSP)
/* tk_dot_four(inputs, inputs_end, weights, row, sums): four rows of weights with 128 added (dsp.c). Rows and inputs lie at
 * any multiple of 4, with at least one group of four inputs. */
.syntax unified
.thumb
.text

/* The word of a row in r9 times the inputs r10 and r11. */
.macro products sum
    uxtb16 r12, r9
    uxtb16 r9, r9, ror #8
    smlad \sum, r12, r10, \sum
    smlad \sum, r9, r11, \sum
.endm

.macro group
    ldrd r10, r11, [r0], #8
    ldr r9, [r2, r3]
    products r5
    ldr r9, [r2], #4
    products r4
    ldr r9, [r8, r3]
    products r7
    ldr r9, [r8], #4
    products r6
.endm

.global tk_dot_four
.thumb_func
tk_dot_four:
    ldr r12, [sp]
    push {r4-r11, lr}
    mov lr, r12
    ldmia lr, {r4-r7}
    add r8, r2, r3, lsl #1
    subs r9, r1, r0
    lsls r9, r9, #28
    bmi odd
even:
    group
odd:
    group
    cmp r0, r1
    bne even
    stmia lr, {r4-r7}
    pop {r4-r11, pc}
#endif
