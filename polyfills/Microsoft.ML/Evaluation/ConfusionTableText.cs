using System.Text;

namespace Microsoft.ML.Data;

/// <summary>The table for people.</summary>
internal static class ConfusionTableText
{
    private const string Predicted = "PREDICTED";

    public static string Format(ConfusionMatrix matrix, IReadOnlyList<string> names)
    {
        int classes = matrix.NumberOfClasses;
        int columnWidth = classes == 2 ? 8 : 5;
        string rule = string.Concat(Enumerable.Repeat(new string('=', classes > 2 ? 8 : 11), classes));

        // Names that are too long for the columns are numbered, and stand beside the rows only.
        int longest = names.Max(name => name.Length);
        bool numbered = longest > columnWidth;
        int digits = (classes - 1).ToString().Length;
        int rowWidth = Math.Max(Predicted.Length, numbered ? longest + digits + 2 : longest);

        var text = new StringBuilder();
        text.AppendLine().AppendLine("Confusion table");
        text.Append(Heading("")).AppendLine(rule);
        text.Append(Heading(Predicted));
        for (int k = 0; k < classes; k++)
            text.Append(Cell(numbered ? k.ToString() : names[k]));
        text.AppendLine(" Recall");
        text.Append(Heading("TRUTH")).AppendLine(rule);
        for (int k = 0; k < classes; k++)
        {
            string row = numbered ? $"{k.ToString().PadLeft(digits)}. {names[k].PadLeft(rowWidth - digits - 2)}" : names[k].PadLeft(rowWidth);
            text.Append(row).Append(" ||");
            foreach (double count in matrix.Counts[k])
                text.Append(Cell(count.ToString("N0")));
            text.AppendLine($" {matrix.PerClassRecall[k],5:F4}");
        }

        text.Append(Heading("")).AppendLine(rule);
        text.Append(Heading("Precision"));
        foreach (double precision in matrix.PerClassPrecision)
            text.Append(precision.ToString("N4").PadLeft(columnWidth + 1)).Append(" |");
        text.AppendLine();
        return text.ToString();

        string Heading(string what) => what.PadRight(rowWidth + 1) + "||";
        string Cell(string what) => $" {what.PadLeft(columnWidth)} |";
    }
}
