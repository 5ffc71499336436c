# SPDX-License-Identifier: GPL-2.0
# gnuplot -e "data='...'; output='...'; heading='...'" plot.gp: a line for each column of the data but the first.
set terminal svg size 900,520 font "sans,13" background "white"
set output output
set title heading noenhanced
set logscale x 2
set logscale y 10
set xlabel "bytes in a message"
set ylabel "instructions, fewer is better"
set xrange [0.9:80000]
set xtics (1, "" 4, 16, 64, 256, "1 K" 1024, "3,000" 3000, "" 4096, "16 K" 16384, "64 K" 65536)
set format y "%.0f"
set grid xtics ytics mytics
# The fifth is yellow otherwise; dashes show lines that lie on each other.
set linetype 5 linecolor rgb "#8b5a2b"
do for [i = 1:7] { set linetype i dashtype i }
set key left top noenhanced
stats data skip 1 nooutput
plot for [i = 2:STATS_columns] data using 1:i with linespoints linewidth 2 pointsize 0.7 title columnheader(i)
