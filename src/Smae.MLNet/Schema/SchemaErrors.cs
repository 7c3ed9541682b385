using Microsoft.ML;

namespace Smae.MLNet;

/// <summary>The errors that ML.NET's own components give where a schema is not what they need.</summary>
internal static class SchemaErrors
{
    /// <summary>The name of the schema's parameter in ML.NET's signatures.</summary>
    public const string InputSchema = "inputSchema";

    /// <summary>There is no such column.</summary>
    /// <param name="role">What the column is to a component: input, feature, label.</param>
    /// <param name="name">Its name.</param>
    /// <param name="columns">The names of those that are there.</param>
    /// <param name="parameter">The parameter that the schema came by.</param>
    public static ArgumentOutOfRangeException Missing(string role, string name, IEnumerable<string> columns, string parameter = InputSchema) =>
        new(parameter, $"Could not find {role} column '{name}'. The columns are: {string.Join(", ", columns.Select(column => $"'{column}'"))}.");

    /// <summary>A column holds something else.</summary>
    /// <param name="role">What the column is to a component: input, feature, label.</param>
    /// <param name="name">Its name.</param>
    /// <param name="expected">The types that it may have.</param>
    /// <param name="found">The type that it has.</param>
    /// <param name="advice">What to do, as a sentence.</param>
    /// <param name="parameter">The parameter that the schema came by.</param>
    public static ArgumentOutOfRangeException Mismatch(
        string role, string name, string expected, string found, string advice = "", string parameter = InputSchema) =>
        new(parameter, $"Schema mismatch for {role} column '{name}': expected {expected}, got {found}{(advice.Length > 0 ? $". {advice}" : "")}");

    /// <summary>The type that a shape tells, as ML.NET writes it.</summary>
    public static string Describe(SchemaShape.Column column)
    {
        string item = column.IsKey ? $"Key<{column.ItemType}>" : column.ItemType.ToString()!;
        return column.Kind switch
        {
            SchemaShape.Column.VectorKind.Vector => $"Vector<{item}>",
            SchemaShape.Column.VectorKind.VariableVector => $"VarVector<{item}>",
            _ => item,
        };
    }
}
