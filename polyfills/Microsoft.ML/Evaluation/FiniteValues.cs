namespace Microsoft.ML.Data;

/// <summary>Tells numbers from what is none.</summary>
internal static class FiniteValues
{
    public static bool All(ReadOnlySpan<float> values)
    {
        foreach (float value in values)
        {
            if (!float.IsFinite(value))
                return false;
        }

        return true;
    }
}
